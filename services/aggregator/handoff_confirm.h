/*
 * Confirms handoffs that were opened, or whose customers were merged, before they are told.
 *
 * A batch that opens a handoff cannot see a closing event that another writer is putting on the
 * timeline at that moment, nor can that writer see the handoff. So the handoff waits (confirm_xid)
 * until every transaction of the writers that was at work when it could first be seen has ended: a
 * writer that came later has seen it, and what an earlier one wrote can be seen now. Unless it
 * looked under a customer that became another's meanwhile: then the handoff waits anew, from when
 * the merge could be seen. Then the timeline is looked at for what closes it, and its opening is
 * told, or that it was done before it was opened. So no closing event locks its customer, and an
 * event that closes nothing costs a look into an index.
 *
 * The relay does it, as it would publish what was told. Several at once do no harm: rows are
 * locked, and who comes second finds them confirmed. One thread a confirmer.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFF_CONFIRM_H
#define SERVICES_AGGREGATOR_HANDOFF_CONFIRM_H

#include "common/pg/pg.h"
#include "services/aggregator/handoff_rules.h"

struct handoff_confirmer {
    const struct handoff_rules *rules;
    char *snapshot;  /* what could be seen when it was begun; NULL: nothing is to be confirmed */
    char *after;     /* the transactions before this one are waited for */
    int64_t told_ms; /* when it was begun, or last told that it waits (clock_monotonic_ms) */
};

/* The next step, for whose turn it is: every few milliseconds while a snapshot is there, at most a
 * page. *put: there may be new rows in the outbox. Waits for nobody but the server. For
 * transactions it waits as long as they last, telling of it: the server's own bounds (option
 * database_timeout) end a writer's. */
int handoff_confirm(struct handoff_confirmer *confirmer, struct pg *pg, bool *put) CHECKED;

void handoff_confirmer_clear(struct handoff_confirmer *confirmer);

#endif
