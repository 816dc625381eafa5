/*
 * The database as the writers of this process have it: opened with bounds and looked at, its
 * trouble told once for all of them (see trouble.h), counted, and kept for /readyz. Any thread.
 */
#ifndef SERVICES_AGGREGATOR_DATABASE_H
#define SERVICES_AGGREGATOR_DATABASE_H

#include "common/base/config.h"
#include "common/pg/pg.h"

void database_init(void); /* its metrics; once, before the writers start */

/* Opens the connection of writer `number` or of a duty (duty.h), with option database_timeout as
 * its bound, and checks that the schema is there. `options` has its `report`, which is to call
 * database_failed. */
int database_open(const struct config *config, int number, const struct pg_options *options,
                  struct pg **out) CHECKED;

/* No call of this connection takes longer than option database_timeout: by the server's clock, and,
 * a little later, by ours. */
int database_bound(struct pg *pg, const struct config *config) CHECKED;

/* Something went wrong for that writer: counts it, tells of it where it is to be told. Returns what
 * is missing, for /readyz. */
const char *database_failed(int writer, const struct pg_failure *failure);

/* The writer has its work done by the database. */
void database_works(int writer);

#endif
