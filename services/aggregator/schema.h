/*
 * The schema's versions. The migrations of this build are numbered from 1
 * without a gap; the database tells in store.migrations which it has had. One
 * thread per connection.
 */
#ifndef SERVICES_AGGREGATOR_SCHEMA_H
#define SERVICES_AGGREGATOR_SCHEMA_H

#include "common/pg/pg.h"

/* The newest version that this build knows. */
int schema_newest(void);

/* The database's version; 0 where it has never been migrated. */
int schema_version(struct pg *pg, int *version) CHECKED;

/* Called once for each migration, after it was committed. */
typedef void schema_applied(void *context, int version, const char *name, int64_t took_ms);

/* Brings the database to schema_newest(), each migration in a transaction of its
 * own, under an advisory lock: safe to run twice, and by several at once.
 * ERR_CONFLICT when the database is newer than this build, or was migrated by
 * another line of versions (logged). *version is where it stands in the end.
 *
 * Then, every time: what a restore brought from another PostgreSQL is made this
 * one's own (schema_adopt.sql). */
int schema_migrate(struct pg *pg, schema_applied *applied, void *context, int *version) CHECKED;

#endif
