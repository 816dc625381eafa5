/*
 * A batch's identities to their ids: from the cache where all that an event ties
 * together is known to belong together, from the database for the rest (which
 * makes, attaches and ties; the rules are in sql/migrations/0002_identities.sql).
 */
#ifndef SERVICES_AGGREGATOR_IDENTITIES_H
#define SERVICES_AGGREGATOR_IDENTITIES_H

#include "common/pg/pg.h"
#include "services/aggregator/batch.h"
#include "services/aggregator/identity_cache.h"

/* Within the batch's transaction, after offsets_begin and batch_tie. Fills identity_id and
 * customer_id of every batch_identity that is named. */
int identities_resolve(struct pg *pg, struct batch *batch, struct identity_cache *cache) CHECKED;

/* After COMMIT: what the batch has learned goes into the cache. */
void identities_remember(const struct batch *batch, struct identity_cache *cache);

#endif
