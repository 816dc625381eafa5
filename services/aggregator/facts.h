/*
 * What events say of owners, issues and promises: folded for a batch, then put into their tables
 * with one statement a table. Each table keeps, per identity and department, the latest by the time
 * it occurred, so that neither the order of arrival nor a repetition changes anything.
 */
#ifndef SERVICES_AGGREGATOR_FACTS_H
#define SERVICES_AGGREGATOR_FACTS_H

#include "common/pg/pg.h"
#include "services/aggregator/batch.h"

/* Does an event of these facts have to be noted for them? Pure. */
bool facts_wanted(const struct event_facts *facts);

/* Within the batch's transaction, after its rows were put on the timeline: the facts of the rows
 * that count. */
int facts_put(struct pg *pg, const struct batch *batch) CHECKED;

#endif
