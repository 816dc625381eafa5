#include "common/event/uri.h"

#define NO_SCHEME ((size_t)-1)

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool hex_digit(char c)
{
    return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* unreserved / sub-delims / ":" / "@" / "/" / "?", which may stand anywhere. */
static bool plain(char c)
{
    return letter(c) || digit(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@/?", c));
}

/* The scheme's length: what stands before the first ':', where that comes before
 * any '/', '?' or '#'. NO_SCHEME where there is no such colon. */
static size_t scheme_length(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':')
            return i;
        if (strchr("/?#", text.ptr[i]))
            break;
    }
    return NO_SCHEME;
}

static bool scheme_valid(struct span scheme)
{
    if (scheme.len == 0 || !letter(scheme.ptr[0]))
        return false;
    for (size_t i = 1; i < scheme.len; i++)
        if (!letter(scheme.ptr[i]) && !digit(scheme.ptr[i]) && !strchr("+-.", scheme.ptr[i]))
            return false;
    return true;
}

/* Where "//authority" ends, counted from the start of `rest`; 0: no authority.
 * Only there brackets may stand, around an IP literal. */
static size_t authority_end(struct span rest)
{
    size_t i = 2;
    if (!span_starts_with(rest, "//"))
        return 0;
    while (i < rest.len && !strchr("/?#", rest.ptr[i]))
        i++;
    return i;
}

static bool characters_valid(struct span rest)
{
    size_t authority = authority_end(rest);
    bool fragment = false;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        if (c == '%') {
            if (rest.len - i < 3 || !hex_digit(rest.ptr[i + 1]) || !hex_digit(rest.ptr[i + 2]))
                return false;
            i += 2;
        } else if (c == '#' && !fragment) {
            fragment = true;
        } else if (c == '[' || c == ']') {
            if (i >= authority)
                return false;
        } else if (!plain(c)) {
            return false;
        }
    }
    return true;
}

/* A colon in the first segment makes what is before it a scheme (section 4.2). */
bool uri_reference_valid(struct span text)
{
    return text.len > 0 &&
           (scheme_length(text) == NO_SCHEME ? characters_valid(text) : uri_valid(text));
}

bool uri_valid(struct span text)
{
    size_t length = scheme_length(text);
    if (length == NO_SCHEME || !scheme_valid((struct span){text.ptr, length}))
        return false;
    return characters_valid((struct span){text.ptr + length + 1, text.len - length - 1});
}
