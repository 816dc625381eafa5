/*
 * Memory that is given out in pieces and taken back at once: one arena for a
 * request, one for a batch. Bounded: past `limit` bytes arena_alloc returns
 * NULL. Not thread-safe; an arena belongs to one thread at a time.
 */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include "common/base/span.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes given out, with alignment */
    size_t reserved;            /* bytes taken from malloc */
    size_t limit;
};

void arena_init(struct arena *arena, size_t limit);

/* Takes everything back but keeps one block for the next round. */
void arena_reset(struct arena *arena);

/* Frees everything; the arena may be used again as after arena_init. */
void arena_free(struct arena *arena);

/* Aligned for any type, not zeroed; NULL past the limit or without memory, which
 * has been logged then, so that callers need not. */
void *arena_alloc(struct arena *arena, size_t size);

/* Copies; the copy is followed by a NUL that does not count. ptr NULL on failure. */
struct span arena_copy(struct arena *arena, struct span s);
char *arena_strdup(struct arena *arena, struct span s);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
