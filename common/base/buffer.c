#include "common/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_init(struct buffer *b, size_t limit)
{
    *b = (struct buffer){.limit = limit};
}

void buffer_free(struct buffer *b)
{
    free(b->data);
    buffer_init(b, b->limit);
}

void buffer_clear(struct buffer *b)
{
    b->len = 0;
    b->failed = false;
}

/* Room for `more` bytes and a NUL. */
static bool reserve(struct buffer *b, size_t more)
{
    if (b->failed)
        return false;
    if (more > b->limit || b->len > b->limit - more) {
        b->failed = true;
        return false;
    }
    if (b->len + more < b->capacity)
        return true;
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity < b->len + more + 1)
        capacity *= 2;
    if (capacity > b->limit + 1)
        capacity = b->limit + 1;
    char *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *b, const void *data, size_t len)
{
    if (!reserve(b, len))
        return;
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buffer_append_span(struct buffer *b, struct span s)
{
    buffer_append(b, s.ptr, s.len);
}

void buffer_append_text(struct buffer *b, const char *text)
{
    buffer_append(b, text, strlen(text));
}

void buffer_append_char(struct buffer *b, char c)
{
    buffer_append(b, &c, 1);
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !reserve(b, (size_t)len)) {
        b->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}

void buffer_append_json_string(struct buffer *b, struct span text)
{
    static const char hex[] = "0123456789abcdef";
    buffer_append_char(b, '"');
    size_t plain = 0; /* start of the run that needs no escape */
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buffer_append(b, text.ptr + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\') {
            buffer_append_char(b, '\\');
            buffer_append_char(b, (char)c);
        } else if (c == '\n') {
            buffer_append_text(b, "\\n");
        } else if (c == '\r') {
            buffer_append_text(b, "\\r");
        } else if (c == '\t') {
            buffer_append_text(b, "\\t");
        } else {
            char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            buffer_append(b, escape, sizeof escape);
        }
    }
    buffer_append(b, text.ptr + plain, text.len - plain);
    buffer_append_char(b, '"');
}

void buffer_append_be16(struct buffer *b, uint16_t v)
{
    unsigned char bytes[2] = {(unsigned char)(v >> 8), (unsigned char)v};
    buffer_append(b, bytes, sizeof bytes);
}

void buffer_append_be32(struct buffer *b, uint32_t v)
{
    unsigned char bytes[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                              (unsigned char)(v >> 8), (unsigned char)v};
    buffer_append(b, bytes, sizeof bytes);
}

void buffer_append_be64(struct buffer *b, uint64_t v)
{
    buffer_append_be32(b, (uint32_t)(v >> 32));
    buffer_append_be32(b, (uint32_t)v);
}

struct span buffer_span(const struct buffer *b)
{
    return (struct span){b->data ? b->data : "", b->len};
}
