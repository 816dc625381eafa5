/*
 * What the tests of the commit path have in place of PostgreSQL's tables: partitions with their
 * books, the timeline, quarantine; and what the statements of services/aggregator/sql do to them.
 * Transactions are copies of the whole. No memory is allocated.
 */
#ifndef TESTS_UNIT_FAILING_STORE_H
#define TESTS_UNIT_FAILING_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PARTITIONS 2
#define STORE_ROWS       64
#define STORE_PARAMS     16

struct store_partition {
    int64_t generation, next, timeline, duplicates, quarantined, voided;
};

struct store_row {
    int64_t partition, offset;
    int64_t identity, account; /* ids; of a staged row places in the batch; -1: none */
    uint64_t key;              /* occurred_at and event_uid */
    uint64_t event;            /* source and id */
    uint64_t bytes;            /* all but the identities */
};

struct store_rows {
    struct store_row row[STORE_ROWS];
    size_t count;
};

struct store {
    struct store_partition partition[STORE_PARTITIONS];
    struct store_rows events, quarantine;
    struct store_rows staged; /* of the connection */
};

/* One client's view. */
struct store_session {
    struct store working, savepoint;
    bool in_transaction, aborted;
};

struct store_answer {
    const char *sqlstate; /* NULL: done */
    char tag[32];
    bool copy; /* rows are to follow: then store_copy */
    int columns, rows;
    char cell[STORE_ROWS][4][64];
};

/* Columns that a statement's rows have, which a server tells before it is run. -1: it is not known.
 */
int store_columns(const char *sql);

/* One statement, with a lock. */
void store_run(struct store_session *session, const char *sql, const char *const *params,
               struct store_answer *answer);
/* What a COPY brought. */
void store_copy(struct store_session *session, const char *sql, const char *bytes, size_t len,
                struct store_answer *answer);
/* An error of that code, whatever it was asked. */
void store_fail(struct store_session *session, const char *sqlstate, struct store_answer *answer);
void store_leave(struct store_session *session); /* rolls back */

/* For the test: what is committed; emptied, with rows that are there beforehand. */
struct store store_committed(void);
void store_reset(const struct store_row *rows, size_t count);

/* NULL, or what is wrong with what was committed since it was reset: a partition whose offset is
 * not what its books say, a statement that is not known … */
const char *store_breach(void);

uint64_t store_hash(uint64_t seed, const void *bytes, size_t len);

#endif
