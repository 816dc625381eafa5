/*
 * Handoffs on the way of a batch: what its events open, close and cancel by the rules, and what
 * departments ask and report of them. Changes of handoffs, and the outbox rows that tell of them,
 * are part of the batch's transaction.
 *
 * Only rows that were newly put on the timeline act, so a record that is read again changes
 * nothing. Two writers never change one handoff at once: its row is locked, several in the order of
 * their ids. Nor do two both open what is to be a customer's first: those customers are locked
 * (identities_resolve). Else customers are not, so one may become another's meanwhile: what is
 * looked up here goes by identities, which stay. What another writer is putting on the timeline at
 * the moment of an opening nobody can see: what was opened is confirmed later, and told only then
 * (handoff_confirm.h). One thread.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFFS_H
#define SERVICES_AGGREGATOR_HANDOFFS_H

#include "common/pg/pg.h"
#include "services/aggregator/batch.h"
#include "services/aggregator/handoff_rules.h"

#define HANDOFF_DEPTH_LIMIT 8    /* so many handoffs may open each other in a row */
#define HANDOFF_DAY_LIMIT   1000 /* of a rule for one customer within a day */

/* Before BEGIN: hangs the batch's requests on their handoffs' customers. One that speaks of a
 * handoff that is not there goes to quarantine; ERR_NOT_FOUND as for any refused row whose record
 * is not kept. */
int handoffs_locate(struct pg *pg, struct batch *batch) CHECKED;

/* Within the transaction, after the rows and what they say of the customer (facts) were put. Rules
 * may be NULL: then there are requests alone. */
int handoffs_apply(struct pg *pg, const struct handoff_rules *rules,
                   const struct vocabulary *vocabulary, const struct batch *batch) CHECKED;

#endif
