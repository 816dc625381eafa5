#include "common/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"

#define ALIGNMENT    _Alignof(max_align_t)
#define FIRST_BLOCK  (4 * 1024)
#define LARGEST_STEP (256 * 1024)

struct arena_block {
    struct arena_block *older;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *newest = arena->blocks; /* the largest, as blocks grow */
    arena->used = 0;
    if (!newest)
        return;
    free_blocks(newest->older);
    newest->older = NULL;
    newest->used = 0;
    arena->reserved = newest->size;
}

void arena_free(struct arena *arena)
{
    free_blocks(arena->blocks);
    arena_init(arena, arena->limit);
}

static struct arena_block *add_block(struct arena *arena, size_t need)
{
    size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < need)
        size = need;
    struct arena_block *block = malloc(sizeof *block + size);
    if (!block)
        return NULL;
    *block = (struct arena_block){.older = arena->blocks, .size = size};
    arena->blocks = block;
    arena->reserved += size;
    return block;
}

static void *refuse(const struct arena *arena, size_t size)
{
    log_error("An arena gives no more memory", LOG_INT("asked", size), LOG_INT("used", arena->used),
              LOG_INT("limit", arena->limit));
    return NULL;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > arena->limit - arena->used)
        return refuse(arena, size);
    size_t rounded = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (rounded < size || rounded > arena->limit - arena->used)
        return refuse(arena, size);
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < rounded) {
        block = add_block(arena, rounded);
        if (!block)
            return refuse(arena, size);
    }
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memory;
}

struct span arena_copy(struct arena *arena, struct span s)
{
    char *copy = s.len < SIZE_MAX ? arena_alloc(arena, s.len + 1) : NULL;
    if (!copy)
        return (struct span){NULL, 0};
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (struct span){copy, s.len};
}

char *arena_strdup(struct arena *arena, struct span s)
{
    char *copy = arena_alloc(arena, s.len + 1);
    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len >= 0 ? arena_alloc(arena, (size_t)len + 1) : NULL;
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}
