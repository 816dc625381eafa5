/*
 * A batch to the database: the only BEGIN and COMMIT of the event path. In one
 * transaction, in this order: the offsets (the fence), the identities, the events, what they say
 * of the customer (facts), the handoffs with their outbox, the quarantine. Either all of it is
 * there afterwards, or nothing.
 */
#ifndef SERVICES_AGGREGATOR_BATCH_APPLY_H
#define SERVICES_AGGREGATOR_BATCH_APPLY_H

#include "services/aggregator/events.h"
#include "services/aggregator/handoff_rules.h"
#include "services/aggregator/identity_cache.h"

struct batch_apply {
    struct pg *pg;
    struct identity_cache *cache;
    struct months *months;
    int64_t epoch; /* of what the cache holds; 0 at first */
    const struct handoff_rules *rules;
    const struct vocabulary *vocabulary;
    int64_t quarantine_limit;
    int careful; /* so many more batches go the careful way at once: repeats come in runs */
};

/*
 * Applies the batch to the partitions it touches (those whose `next` is past
 * `committed`), moves their `committed` on, adds their books to `sum` and clears
 * them. Deadlocks and serialization failures are tried again here, within a bound.
 *
 * ERR_BUSY: the database is away; whether the batch was committed is then to be
 * read from the offset rows. ERR_CONFLICT: a partition was taken over. ERR_LIMIT:
 * quarantine has no room for the batch; fill it anew, with less. ERR_NOT_FOUND: a
 * record has to go to quarantine, and the batch has not kept its records; fill it
 * anew with them. ERR_INVALID: the database refuses the batch for what is in it, and nobody has
 * told: pg_sqlstate says why. In all cases nothing is half done.
 */
int batch_apply(struct batch_apply *apply, struct batch *batch, struct partition *partitions,
                size_t partition_count, struct books *sum) CHECKED;

#endif
