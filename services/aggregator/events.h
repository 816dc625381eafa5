/*
 * A batch's rows onto the timeline, store.events.
 *
 * The fast way is one COPY of all rows, sorted by primary key, straight into the
 * table. It fails as a whole when a row is there already, or when PostgreSQL
 * refuses a value; then the batch is done again the careful way, by a staging
 * table, which tells for each row what became of it.
 */
#ifndef SERVICES_AGGREGATOR_EVENTS_H
#define SERVICES_AGGREGATOR_EVENTS_H

#include "common/pg/pg.h"
#include "services/aggregator/batch.h"

struct months; /* which month partitions are known to be there */

struct months *months_new(void); /* NULL without memory */
void months_free(struct months *months);
void months_forget(struct months *months); /* retention may have dropped some */

/* Outside the batch's transaction: makes the months that the batch needs. */
int events_make_months(struct pg *pg, const struct batch *batch, struct months *months) CHECKED;

/* Sorts the rows by primary key and sets aside those that repeat another row of
 * the batch, counting them as duplicates of their partition (another source or id
 * under the same key: to quarantine). Ties and counts the rest as on the timeline.
 * ERR_NOT_FOUND: as below. */
int events_prepare(struct batch *batch) CHECKED;

/* Before that: takes row i off the list and puts its record into quarantine. ERR_NOT_FOUND: as
 * below. */
int events_refuse(struct batch *batch, size_t i, const char *reason, const char *detail) CHECKED;

/* ERR_INVALID with pg_sqlstate 23505: a row is there already; 23514: a month is
 * missing; class 22: a value is refused. The transaction is then to be rolled back. */
int events_copy(struct pg *pg, const struct batch *batch) CHECKED;

/* The careful way, in two steps, with identities_resolve between them: so what turns out to repeat
 * an event, or to be refused, ties no customers.
 *
 * Stages the rows. Those that PostgreSQL refuses are moved to the batch's quarantine; those that
 * are on the timeline already are set aside as duplicates. Ties and counts the rest anew.
 * ERR_NOT_FOUND: the batch has not kept the record of a refused row (batch->refused says why), and
 * is now good for nothing but batch_clear. */
int events_stage(struct pg *pg, struct batch *batch) CHECKED;

/* What was staged, onto the timeline. ERR_BUSY with batch->overtaken: another writer has put one of
 * these events there since; roll back and begin again, from events_prepare on. */
int events_put_staged(struct pg *pg, struct batch *batch) CHECKED;

#endif
