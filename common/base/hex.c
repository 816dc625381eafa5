#include "common/base/hex.h"

#include <stdint.h>

static const char lower_digits[] = "0123456789abcdef";
static const char upper_digits[] = "0123456789ABCDEF";

void hex_append(struct buffer *out, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        buffer_append_char(out, lower_digits[c >> 4]);
        buffer_append_char(out, lower_digits[c & 15]);
    }
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_decode(struct span text, unsigned char *out, size_t max, size_t *len)
{
    if (text.len % 2 != 0 || text.len / 2 > max)
        return ERR_INVALID;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return ERR_INVALID;
        out[i / 2] = (unsigned char)(high << 4 | low);
    }
    *len = text.len / 2;
    return 0;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(struct buffer *out, struct span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)p[i] << 16;
        if (left > 1)
            group |= (uint32_t)p[i + 1] << 8;
        if (left > 2)
            group |= p[i + 2];
        char text[4] = {base64_digits[group >> 18], base64_digits[group >> 12 & 63],
                        left > 1 ? base64_digits[group >> 6 & 63] : '=',
                        left > 2 ? base64_digits[group & 63] : '='};
        buffer_append(out, text, sizeof text);
    }
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct span text, unsigned char *out, size_t max, size_t *len)
{
    size_t n = text.len;
    if (n % 4 == 0)
        for (int pads = 0; pads < 2 && n > 0 && text.ptr[n - 1] == '='; pads++)
            n--;
    if (n % 4 == 1)
        return ERR_INVALID;
    size_t written = 0;
    uint32_t bits = 0;
    int bit_count = 0;
    for (size_t i = 0; i < n; i++) {
        int value = base64_value(text.ptr[i]);
        if (value < 0)
            return ERR_INVALID;
        bits = (bits << 6 | (uint32_t)value) & 0xFFFFFF;
        bit_count += 6;
        if (bit_count < 8)
            continue;
        bit_count -= 8;
        if (written == max)
            return ERR_INVALID;
        out[written++] = (unsigned char)(bits >> bit_count);
    }
    if (bits & ((1u << bit_count) - 1))
        return ERR_INVALID; /* rest bits: two texts must not mean the same bytes */
    *len = written;
    return 0;
}

static bool unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

char *percent_write(char *out, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        if (unreserved(c)) {
            *out++ = c;
        } else {
            *out++ = '%';
            *out++ = upper_digits[(unsigned char)c >> 4];
            *out++ = upper_digits[c & 15];
        }
    }
    return out;
}

void percent_append(struct buffer *out, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char text[3];
        char *end = percent_write(text, (struct span){bytes.ptr + i, 1});
        buffer_append(out, text, (size_t)(end - text));
    }
}

int percent_decode(struct arena *arena, struct span text, struct span *out)
{
    if (text.len == 0 || !memchr(text.ptr, '%', text.len)) {
        *out = text;
        return 0;
    }
    char *decoded = arena_alloc(arena, text.len);
    if (!decoded)
        return ERR_MEMORY;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '%') {
            decoded[len++] = text.ptr[i];
            continue;
        }
        if (text.len - i < 3)
            return ERR_INVALID;
        int high = hex_digit(text.ptr[i + 1]), low = hex_digit(text.ptr[i + 2]);
        if (high < 0 || low < 0)
            return ERR_INVALID;
        decoded[len++] = (char)(high << 4 | low);
        i += 2;
    }
    *out = (struct span){decoded, len};
    return 0;
}

static bool continuation(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t utf8_character(struct span text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t left = text.len;
    if (left == 0 || p[0] == 0)
        return 0;
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c <= 0xDF)
        return left >= 2 && continuation(p[1]) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        if (left < 3 || !continuation(p[1]) || !continuation(p[2]))
            return 0;
        bool overlong = c == 0xE0 && p[1] < 0xA0, surrogate = c == 0xED && p[1] > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (left < 4 || !continuation(p[1]) || !continuation(p[2]) || !continuation(p[3]))
            return 0;
        bool overlong = c == 0xF0 && p[1] < 0x90, past_unicode = c == 0xF4 && p[1] > 0x8F;
        return overlong || past_unicode ? 0 : 4;
    }
    return 0;
}

bool utf8_valid(struct span text)
{
    while (text.len > 0) {
        size_t n = utf8_character(text);
        if (n == 0)
            return false;
        text.ptr += n;
        text.len -= n;
    }
    return true;
}
