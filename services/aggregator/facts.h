/*
 * What events say of owners, issues and promises: collected for a batch, folded by key, then put
 * into their tables in the order of the keys (owners here, as nearly every event names one, the
 * others by their statements). Each table keeps, per identity, the latest by the time at which it
 * occurred, so that neither the order of arrival nor a repetition changes it. Only since when an
 * owner is one may be told too early, where somebody else was named in between, late or in the same
 * batch. One thread.
 *
 * What an intake would have refused (another program may have written the extensions that say the
 * data was looked at) is passed over: the event itself is on the timeline.
 */
#ifndef SERVICES_AGGREGATOR_FACTS_H
#define SERVICES_AGGREGATOR_FACTS_H

#include "common/pg/pg.h"
#include "services/aggregator/batch.h"
#include "services/aggregator/columns.h"

/* Does an event of these facts have to be noted for them? Pure. */
bool facts_wanted(const struct event_facts *facts);

struct facts_naming; /* of an owner, by an event */

/* The parameters of facts_put_owners.sql and its like. */
struct facts {
    struct columns owners, issues, promises;
    struct facts_naming *naming;
    size_t naming_count;
    struct arena arena; /* what its texts stand in */
};

void facts_init(struct facts *facts);
void facts_free(struct facts *facts);

/* The facts of the rows that count, once; their identities are resolved. ERR_MEMORY. */
int facts_collect(struct facts *facts, const struct batch *batch) CHECKED;

/* Within the batch's transaction, after its rows were put on the timeline. */
int facts_put(struct pg *pg, const struct batch *batch) CHECKED;

#endif
