/* Records that cannot go on the timeline, into store.quarantine. */
#ifndef SERVICES_AGGREGATOR_QUARANTINE_H
#define SERVICES_AGGREGATOR_QUARANTINE_H

#include "common/pg/pg.h"
#include "services/aggregator/batch.h"

/* Within the batch's transaction. ERR_LIMIT (logged) when more than `limit` would wait,
 * others than the batch's own among them: the batch is to be rolled back, and to wait until
 * somebody has decided on some. */
int quarantine_put(struct pg *pg, const struct batch *batch, int64_t limit) CHECKED;

#endif
