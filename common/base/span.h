/*
 * A run of bytes that belongs to somebody else: not terminated, not owned.
 * {NULL, 0} is "absent"; a present but empty text has a non-NULL ptr.
 */
#ifndef COMMON_BASE_SPAN_H
#define COMMON_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *ptr;
    size_t len;
};

/* For printf's "%.*s". */
#define SPAN_ARGS(s) (int)(s).len, (s).ptr ? (s).ptr : ""

static inline struct span span_of(const char *text) /* NULL gives absent */
{
    return (struct span){text, text ? strlen(text) : 0};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_is(struct span s, const char *text)
{
    return span_equal(s, span_of(text));
}

/* Bytewise order, shorter first when one starts with the other. */
int span_compare(struct span a, struct span b);

bool span_starts_with(struct span s, const char *prefix);

/* The next line of `rest`, which moves on behind it; empty ones are passed over, and line ends
 * belong to none. False: there is none any more. */
bool span_next_line(struct span *rest, struct span *line);

/* ASCII letters compared without case. */
bool span_is_nocase(struct span s, const char *text);

#endif
