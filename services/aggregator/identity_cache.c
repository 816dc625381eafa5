#include "services/aggregator/identity_cache.h"

#include <stdlib.h>

#include "common/base/hash.h"

#define SLOTS_PART                                                                                 \
    8 /* slots take at most this part of a generation: a slot for 32 bytes of entries */
#define SMALLEST_SLOTS 64

struct entry {
    uint64_t hash;
    struct cached_identity value;
    uint32_t key_len;
    char key[];
};

/* Open addressing over entries that lie one behind the other in `bytes`.
 * A slot holds an entry's place in 8-byte steps plus one; 0 is free. */
struct generation {
    uint32_t *slots;
    char *bytes;
    size_t used, count;
};

struct identity_cache {
    size_t slot_count; /* a power of two */
    size_t byte_limit; /* of each generation */
    struct generation young, old;
};

static bool generation_init(struct generation *g, size_t slot_count, size_t byte_limit)
{
    /* Pages that are never written are never there: the bound costs nothing until it is used. */
    g->slots = calloc(slot_count, sizeof *g->slots);
    g->bytes = malloc(byte_limit);
    return g->slots && g->bytes;
}

struct identity_cache *identity_cache_new(size_t limit)
{
    struct identity_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    size_t half = limit / 2;
    cache->slot_count = SMALLEST_SLOTS;
    while (cache->slot_count * 2 * sizeof(uint32_t) * SLOTS_PART <= half)
        cache->slot_count *= 2;
    size_t slot_bytes = cache->slot_count * sizeof(uint32_t);
    cache->byte_limit = half > slot_bytes * 2 ? half - slot_bytes : slot_bytes;
    if (!generation_init(&cache->young, cache->slot_count, cache->byte_limit) ||
        !generation_init(&cache->old, cache->slot_count, cache->byte_limit)) {
        identity_cache_free(cache);
        return NULL;
    }
    return cache;
}

void identity_cache_free(struct identity_cache *cache)
{
    if (!cache)
        return;
    free(cache->young.slots);
    free(cache->young.bytes);
    free(cache->old.slots);
    free(cache->old.bytes);
    free(cache);
}

static void generation_clear(struct generation *g, size_t slot_count)
{
    memset(g->slots, 0, slot_count * sizeof *g->slots);
    g->used = 0;
    g->count = 0;
}

void identity_cache_clear(struct identity_cache *cache)
{
    generation_clear(&cache->young, cache->slot_count);
    generation_clear(&cache->old, cache->slot_count);
}

static struct entry *entry_at(const struct generation *g, uint32_t slot)
{
    return (struct entry *)(void *)(g->bytes + (size_t)(slot - 1) * 8);
}

/* The slot of that key, or the free one where it belongs. */
static uint32_t *find(const struct generation *g, size_t slot_count, uint64_t hash, struct span key)
{
    size_t at = (size_t)hash & (slot_count - 1);
    while (g->slots[at]) {
        const struct entry *entry = entry_at(g, g->slots[at]);
        if (entry->hash == hash && entry->key_len == key.len &&
            memcmp(entry->key, key.ptr, key.len) == 0)
            break;
        at = (at + 1) & (slot_count - 1);
    }
    return &g->slots[at];
}

static void put(struct identity_cache *cache, uint64_t hash, struct span key,
                struct cached_identity value)
{
    size_t size = (sizeof(struct entry) + key.len + 7) & ~(size_t)7;
    if (size > cache->byte_limit)
        return;
    struct generation *young = &cache->young;
    uint32_t *slot = find(young, cache->slot_count, hash, key);
    if (*slot) {
        entry_at(young, *slot)->value = value;
        return;
    }
    if (young->used + size > cache->byte_limit || young->count >= cache->slot_count / 4 * 3) {
        struct generation spare = cache->old;
        cache->old = *young;
        generation_clear(&spare, cache->slot_count);
        *young = spare;
        slot = find(young, cache->slot_count, hash, key);
    }
    struct entry *entry = (struct entry *)(void *)(young->bytes + young->used);
    entry->hash = hash;
    entry->value = value;
    entry->key_len = (uint32_t)key.len;
    memcpy(entry->key, key.ptr, key.len);
    *slot = (uint32_t)(young->used / 8) + 1;
    young->used += size;
    young->count++;
}

bool identity_cache_get(struct identity_cache *cache, struct span key,
                        struct cached_identity *found)
{
    uint64_t hash = hash_span(key);
    uint32_t slot = *find(&cache->young, cache->slot_count, hash, key);
    if (slot) {
        *found = entry_at(&cache->young, slot)->value;
        return true;
    }
    slot = *find(&cache->old, cache->slot_count, hash, key);
    if (!slot)
        return false;
    *found = entry_at(&cache->old, slot)->value;
    put(cache, hash, key, *found);
    return true;
}

void identity_cache_put(struct identity_cache *cache, struct span key, struct cached_identity value)
{
    put(cache, hash_span(key), key, value);
}
