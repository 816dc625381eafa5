/*
 * A byte buffer that grows up to a bound. Errors stick: after one failed
 * append `failed` is set, later appends do nothing, and the caller checks once
 * at the end. Not thread-safe.
 */
#ifndef COMMON_BASE_BUFFER_H
#define COMMON_BASE_BUFFER_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"

struct buffer {
    char *data; /* owned; followed by a NUL that does not count, once non-empty */
    size_t len;
    size_t capacity;
    size_t limit; /* most bytes it may hold */
    bool failed;  /* out of memory or past the limit */
};

void buffer_init(struct buffer *b, size_t limit);
void buffer_free(struct buffer *b);
void buffer_clear(struct buffer *b); /* keeps the memory, clears `failed` */

void buffer_append(struct buffer *b, const void *data, size_t len);
void buffer_append_span(struct buffer *b, struct span s);
void buffer_append_text(struct buffer *b, const char *text);
void buffer_append_char(struct buffer *b, char c);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text as a JSON string, with its quotes; it must be valid UTF-8. */
void buffer_append_json_string(struct buffer *b, struct span text);
/* Big-endian integers, as the binary COPY format wants them. */
void buffer_append_be16(struct buffer *b, uint16_t v);
void buffer_append_be32(struct buffer *b, uint32_t v);
void buffer_append_be64(struct buffer *b, uint64_t v);

struct span buffer_span(const struct buffer *b);

#endif
