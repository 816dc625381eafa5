/*
 * What a writer remembers of identities, so that a batch of known customers asks
 * the database for none of them. Bounded in bytes: two generations, the older
 * of which is dropped when the younger is full; what is asked for moves to the younger.
 *
 * Filled after COMMIT only. Merges need not empty it (what was tied stays
 * tied), erase and unmerge move the epoch, which does. One thread.
 */
#ifndef SERVICES_AGGREGATOR_IDENTITY_CACHE_H
#define SERVICES_AGGREGATOR_IDENTITY_CACHE_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"

struct identity_cache;

struct cached_identity {
    int64_t identity_id;
    int64_t customer_id; /* when it was cached; it may have been absorbed since */
};

/* NULL without memory. `limit` in bytes. */
struct identity_cache *identity_cache_new(size_t limit);
void identity_cache_free(struct identity_cache *cache); /* NULL is fine */
void identity_cache_clear(struct identity_cache *cache);

/* Keys are any bytes: "email=ann@acme.example", or an attachment's. */
bool identity_cache_get(struct identity_cache *cache, struct span key,
                        struct cached_identity *found);
void identity_cache_put(struct identity_cache *cache, struct span key,
                        struct cached_identity value);

#endif
