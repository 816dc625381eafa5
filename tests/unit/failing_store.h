/*
 * What the tests of the commit path have in place of PostgreSQL's tables: partitions with their
 * books, the timeline, quarantine, facts, handoffs (failing_handoffs.c); and what the statements of
 * services/aggregator/sql do to them. Transactions are copies of the whole. No memory is allocated.
 */
#ifndef TESTS_UNIT_FAILING_STORE_H
#define TESTS_UNIT_FAILING_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/event/event_uid.h"

#define STORE_PARTITIONS 2
#define STORE_ROWS       64
#define STORE_PARAMS     16
#define STORE_COLUMNS    26 /* most of a statement's answer */
#define STORE_HANDOFFS   8
#define STORE_TOLD       32
#define STORE_FACTS      16
#define STORE_CUSTOMER   7 /* who everybody is */

struct store_partition {
    int64_t generation, next, timeline, duplicates, quarantined, voided;
};

struct store_row {
    int64_t partition, offset;
    int64_t identity, account; /* ids; of a staged row places in the batch; -1: none */
    uint64_t key;              /* occurred_at and event_uid */
    uint64_t event;            /* source and id */
    uint64_t bytes;            /* all but the identities */
    int64_t occurred_at;       /* as COPY has it */
    struct event_uid uid;
    char event_id[8], type[24];
    char deal[8]; /* member of data, a digit; "": none */
};

struct store_rows {
    struct store_row row[STORE_ROWS];
    size_t count;
};

/* As handoffs_load.sql gives it; NULL: "". */
struct store_handoff {
    char column[STORE_COLUMNS][64];
    char opening_uid[40];
    bool unconfirmed;
};

/* Of the outbox: what it is about, and what is said. */
struct store_told {
    char handoff[40], kind[16], event_id[16];
    int64_t sequence;
};

/* Of owners, issues and promises: of an owner the last, of the others each. */
struct store_fact {
    uint64_t key, said;
    int64_t at;
};

struct store_handoffs {
    struct store_handoff handoff[STORE_HANDOFFS];
    size_t count;
    struct store_told told[STORE_TOLD];
    size_t told_count;
    struct store_fact fact[STORE_FACTS];
    size_t fact_count;
};

struct store {
    struct store_partition partition[STORE_PARTITIONS];
    struct store_rows events, quarantine;
    struct store_rows staged; /* of the connection */
    struct store_handoffs handoffs;
};

/* One client's view. */
struct store_session {
    struct store working, savepoint;
    bool in_transaction, aborted, has_savepoint;
};

struct store_answer {
    const char *sqlstate; /* NULL: done */
    char tag[32];
    bool copy; /* rows are to follow: then store_copy */
    int columns, rows;
    char cell[STORE_ROWS][STORE_COLUMNS][64];
    bool null[STORE_ROWS][STORE_COLUMNS];
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
/* Without rows; sqlstate: NULL, or what is wrong. */
void store_clear(struct store_answer *answer, const char *sqlstate);
/* An error of that code, whatever it was asked. */
void store_fail(struct store_session *session, const char *sqlstate, struct store_answer *answer);
void store_leave(struct store_session *session); /* rolls back */

/* For the test: what is committed; emptied, with rows that are there beforehand. */
struct store store_committed(void);
void store_reset(const struct store_row *rows, size_t count);
void store_put_handoff(const struct store_handoff *handoff); /* after that: one that is there */

/* The same handoffs, words about them, and facts, in whatever order. */
bool store_same_handoffs(const struct store *a, const struct store *b);
/* The handoff is there, in that state, and something of that kind was said of it. */
bool store_handoff_is(const struct store *store, const char *id, const char *state,
                      const char *kind);
/* Is one of them still to be confirmed? */
bool store_unconfirmed(const struct store *store);

/* NULL, or what is wrong with what was committed since it was reset: a partition whose offset is
 * not what its books say, a statement that is not known … */
const char *store_breach(void);

uint64_t store_hash(uint64_t seed, const void *bytes, size_t len);

#endif
