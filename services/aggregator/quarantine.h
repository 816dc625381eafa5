/* Records that cannot go on the timeline, into store.quarantine. */
#ifndef SERVICES_AGGREGATOR_QUARANTINE_H
#define SERVICES_AGGREGATOR_QUARANTINE_H

#include "common/pg/pg.h"
#include "services/aggregator/batch.h"

/* How many records wait for a decision; keeps the metric. */
int quarantine_waiting(struct pg *pg, int64_t *waiting) CHECKED;

/* Within the batch's transaction. `carefully`: a record that is there already (it was read again,
 * by hand) counts as a duplicate; else the statement fails. ERR_LIMIT (not logged: hold.h tells)
 * when more than `limit` would wait, or, of a batch with rows that PostgreSQL refuses, when `limit`
 * wait already: the batch is to be rolled back. */
int quarantine_put(struct pg *pg, const struct batch *batch, bool carefully, int64_t limit) CHECKED;

#endif
