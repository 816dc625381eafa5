#include "common/json/json_string.h"

#include <stdint.h>

static uint32_t hex4(const char *p)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t digit = c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
        value = value << 4 | digit;
    }
    return value;
}

static char *write_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (char)(0xE0 | c >> 12);
        } else {
            *out++ = (char)(0xF0 | c >> 18);
            *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        }
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
    }
    *out++ = (char)(0x80 | (c & 0x3F));
    return out;
}

/* `*at` stands behind "\u"; moves it past one code unit, or a surrogate pair. */
static uint32_t read_unicode(const char **at)
{
    uint32_t c = hex4(*at);
    *at += 4;
    if (c >= 0xD800 && c <= 0xDBFF) {
        c = 0x10000 + ((c - 0xD800) << 10) + (hex4(*at + 2) - 0xDC00);
        *at += 6;
    }
    return c;
}

static char short_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; /* '"', '\\' and '/' stand for themselves */
    }
}

int json_string_decode(struct arena *arena, struct span value, struct span *text)
{
    if (value.len < 2 || value.ptr[0] != '"')
        return ERR_INVALID;
    struct span inner = {value.ptr + 1, value.len - 2};
    *text = inner;
    if (inner.len == 0 || !memchr(inner.ptr, '\\', inner.len))
        return 0;
    char *decoded = arena_alloc(arena, inner.len), *out = decoded; /* escapes only shrink */
    if (!decoded)
        return ERR_MEMORY;
    for (const char *at = inner.ptr, *end = at + inner.len; at < end;) {
        if (*at != '\\') {
            *out++ = *at++;
        } else if (at[1] == 'u') {
            at += 2;
            out = write_utf8(out, read_unicode(&at));
        } else {
            *out++ = short_escape(at[1]);
            at += 2;
        }
    }
    *text = (struct span){decoded, (size_t)(out - decoded)};
    return 0;
}
