#include <strings.h>

#include "common/event/event_text.h"
#include "common/event/identity_rule.h"

#define DOMAIN_LIMIT 253 /* bytes, RFC 1035 */
#define E164_FEWEST  7   /* digits with country code; ITU-T E.164 allows 15 */
#define E164_MOST    15

static const char *const form_names[] = {
    [IDENTITY_TEXT] = "text",     [IDENTITY_EMAIL] = "email", [IDENTITY_PHONE] = "phone",
    [IDENTITY_DOMAIN] = "domain", [IDENTITY_CODE] = "code",
};

bool identity_form_named(const char *name, enum identity_form *form)
{
    for (size_t i = 0; i < sizeof form_names / sizeof *form_names; i++) {
        if (strcmp(form_names[i], name) == 0) {
            *form = (enum identity_form)i;
            return true;
        }
    }
    return false;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* ASCII letters only: bytes of other scripts are left as they are. */
static int lower_case(struct arena *arena, struct span text, struct span *out)
{
    size_t i = 0;
    *out = text;
    while (i < text.len && !upper(text.ptr[i]))
        i++;
    if (i == text.len)
        return 0;
    char *copy = arena_alloc(arena, text.len);
    if (!copy)
        return ERR_MEMORY;
    for (i = 0; i < text.len; i++)
        copy[i] = upper(text.ptr[i]) ? (char)(text.ptr[i] - 'A' + 'a') : text.ptr[i];
    *out = (struct span){copy, text.len};
    return 0;
}

/* Labels of letters, digits, '-' and '_', or other scripts, with a dot between. */
static bool domain_sound(struct span domain)
{
    size_t label = 0, dots = 0;
    for (size_t i = 0; i < domain.len; i++) {
        unsigned char c = (unsigned char)domain.ptr[i];
        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
            dots++;
        } else if ((c >= 'a' && c <= 'z') || digit((char)c) || c == '-' || c == '_' || c >= 0x80) {
            label++;
        } else {
            return false;
        }
    }
    return label > 0 && dots > 0 && domain.len <= DOMAIN_LIMIT;
}

/* In lower case and without the dot of the root. A second dot, or a space, before it is
 * no domain's: such a value stays, so that what is normalised is its own normal form. */
static int fold_domain(struct arena *arena, struct span value, struct span *out)
{
    if (lower_case(arena, value, out) != 0)
        return ERR_MEMORY;
    if (out->len > 1 && out->ptr[out->len - 1] == '.' && !strchr(". ", out->ptr[out->len - 2]))
        out->len--;
    return 0;
}

static int normalise_domain(struct arena *arena, struct span value, struct span *out, bool *sound)
{
    if (fold_domain(arena, value, out) != 0)
        return ERR_MEMORY;
    *sound = domain_sound(*out);
    return 0;
}

/* The local part in lower case too. RFC 5321 lets a host tell Ann@ from ann@; no
 * mail service that people write to does, while CRMs and forms store whatever
 * was typed: keeping case would split one customer in two. */
static int normalise_email(struct arena *arena, struct span value, struct span *out, bool *sound)
{
    if (fold_domain(arena, value, out) != 0)
        return ERR_MEMORY;
    const char *at = memchr(out->ptr, '@', out->len);
    size_t local = at ? (size_t)(at - out->ptr) : 0;
    *sound = local > 0 && domain_sound((struct span){at + 1, out->len - local - 1});
    for (size_t i = 0; i < local; i++)
        if (strchr(" \"(),:;<>[\\]", out->ptr[i]))
            *sound = false;
    return 0;
}

static bool phone_separator(char c)
{
    return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

/* Takes off what tells that a country code follows: "+", or "00", as in "(0049)". */
static bool take_international(struct span *text)
{
    size_t at = 0, zeros = 0;
    while (at < text->len && zeros < 2 && (phone_separator(text->ptr[at]) || text->ptr[at] == '0'))
        zeros += text->ptr[at++] == '0';
    if (zeros == 0 && at < text->len && text->ptr[at] == '+')
        at++;
    else if (zeros < 2)
        return false;
    *text = (struct span){text->ptr + at, text->len - at};
    return true;
}

/* The digits alone. The (0) of "+44 (0)20 …" is dialled inside the country only.
 * False for a text with anything else in it. */
static bool phone_digits(struct span text, bool international, char *digits, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (digit(c))
            digits[(*count)++] = c;
        else if (!phone_separator(c))
            return false;
        else if (international && *count > 0 && text.len - i >= 3 &&
                 memcmp(text.ptr + i, "(0)", 3) == 0)
            i += 2;
    }
    return true;
}

/* Only a number with its country code is the same number everywhere; any other
 * is kept as its digits and does not tie. */
static int normalise_phone(struct arena *arena, struct span value, struct span *out, bool *sound)
{
    *out = value;
    *sound = false;
    struct span rest = value;
    bool international = take_international(&rest);
    char *text = arena_alloc(arena, rest.len + 1);
    if (!text)
        return ERR_MEMORY;
    size_t count;
    if (!phone_digits(rest, international, text + 1, &count))
        return 0;
    if (!international) {
        *out = (struct span){text + 1, count};
        return 0;
    }
    text[0] = '+';
    *out = (struct span){text, count + 1};
    *sound = count >= E164_FEWEST && count <= E164_MOST && text[1] != '0';
    return 0;
}

/* A VAT number as "DE 123.456.789" or "de123456789". */
static int normalise_code(struct arena *arena, struct span value, struct span *out)
{
    char *code = arena_alloc(arena, value.len);
    if (!code)
        return ERR_MEMORY;
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c >= 'a' && c <= 'z')
            code[len++] = (char)(c - 'a' + 'A');
        else if (c != ' ' && c != '.' && c != '-' && c != '/')
            code[len++] = c;
    }
    *out = (struct span){code, len};
    return 0;
}

int identity_normalise(enum identity_form form, struct arena *arena, struct span value,
                       struct span *out, bool *sound)
{
    value = event_text_trim(value);
    *out = value;
    *sound = true;
    if (value.len == 0)
        return 0;
    switch (form) {
    case IDENTITY_TEXT:
        return 0;
    case IDENTITY_EMAIL:
        return normalise_email(arena, value, out, sound);
    case IDENTITY_PHONE:
        return normalise_phone(arena, value, out, sound);
    case IDENTITY_DOMAIN:
        return normalise_domain(arena, value, out, sound);
    case IDENTITY_CODE:
        return normalise_code(arena, value, out);
    }
    return 0;
}

static bool matches(struct span pattern, struct span value)
{
    bool open_start = pattern.ptr[0] == '*', open_end = pattern.ptr[pattern.len - 1] == '*';
    struct span core = {pattern.ptr + open_start, pattern.len - open_start - open_end};
    if (value.len < core.len)
        return false;
    size_t first = open_end ? 0 : value.len - core.len;
    size_t last = open_start ? value.len - core.len : 0;
    for (size_t at = first; at <= last; at++)
        if (strncasecmp(value.ptr + at, core.ptr, core.len) == 0)
            return true;
    return false;
}

bool identity_denied(const struct identity_rule *rule, struct span value)
{
    for (size_t i = 0; i < rule->deny_count; i++)
        if (matches(rule->deny[i], value))
            return true;
    return false;
}
