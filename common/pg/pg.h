/*
 * PostgreSQL (over libpq): a connection, statements with parameters, errors
 * that keep their SQLSTATE. One thread per connection.
 *
 * Every call has a bound of our own, whatever the server and the network do: a
 * call that is not answered within `answer_ms` fails, and its connection counts as broken. So
 * it does `stop_ms` after stop was requested, with ERR_STOPPED. (Only the look-up of a
 * host's name, inside pg_open, has no bound but the resolver's.)
 *
 * Codes: ERR_BUSY for what passes (connection lost, no answer in time, too many
 * connections, deadlock, serialization, read-only, disk full: SQLSTATE classes 08, 40, 53,
 * 57, 58, 25006, 25P03 and 55P03, a lock timeout), ERR_CONFLICT for a lost fence (TL001),
 * ERR_INVALID for what the data did (classes 22, 23, 54), ERR_STOPPED, ERR_IO for the rest.
 * ERR_BUSY and ERR_IO are told once, by the connection's `report`; every further call on a
 * broken connection is ERR_BUSY without a word. ERR_CONFLICT and ERR_INVALID are not: callers know
 * better what they mean.
 */
#ifndef COMMON_PG_PG_H
#define COMMON_PG_PG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/base/fault.h"

struct pg;
struct pg_result;

/* Ours, since libpq has none: no TLS connection (certificate, versions, or the server has none). */
#define PG_SQLSTATE_TLS "TL002"

/* What went wrong, for whoever is to tell of it; nothing in it outlives the report. */
#define PG_MESSAGE_SIZE 512 /* of what pg_message tells */

struct pg_failure {
    int code;             /* ERR_BUSY or ERR_IO */
    const char *sqlstate; /* 08001 and 08006 also where it was libpq or we who gave up */
    const char *message;  /* the server's or libpq's; of no row's values */
    const char *asked;    /* how the statement begins; without values */
    int64_t waited_ms;    /* that the call took */
};

struct pg_options {
    int answer_ms; /* 0: PG_ANSWER_MS */
    int stop_ms;   /* so much longer may calls take, all together, once stop is requested */
    /* NULL: a log line each. Called on the connection's thread, from inside the call that fails. */
    void (*report)(void *context, const struct pg_failure *failure);
    void *context;
};

#define PG_ANSWER_MS    60000
#define PG_LONG_WORK_MS (24 * 3600 * 1000) /* for what may take hours: migrations, recounts */

/* Connects (at most 5 s, and 5 s more for settings), sets TimeZone=UTC and application_name.
 * `options` may be NULL. ERR_IO where trying again will not help: a malformed connection string, no
 * such database, a wrong password, no TLS. */
int pg_open(const char *conninfo, const char *application, const struct pg_options *options,
            struct pg **out) CHECKED;
/* Is that a connection string, and are the files there that it names? ERR_INVALID, with a fault
 * that shows nothing of it but these files' names. NULL is fine. */
int pg_check_conninfo(const char *conninfo, struct fault *fault) CHECKED;
void pg_close(struct pg *pg);        /* never waits; NULL is fine */
bool pg_broken(const struct pg *pg); /* the connection is gone: close it, open another */

/* From now on a call may take so long. */
void pg_set_answer_ms(struct pg *pg, int answer_ms);

/* While nothing is asked: has the server hung up? Reads what is there; asks for a sign of life
 * where it was not heard of for PG_QUIET_MS. ERR_BUSY where the connection is gone. */
#define PG_QUIET_MS 10000
int pg_look(struct pg *pg) CHECKED;
int pg_server_version(const struct pg *pg); /* 150020 for 15.20 */

/* Of the last failure: five characters, and the server's message, which may have values of rows
 * (pg_words.h). Never NULL. */
const char *pg_sqlstate(const struct pg *pg);
const char *pg_message(const struct pg *pg);

/* The code that stands for a SQLSTATE. */
int pg_code_of(const char *sqlstate);

/* Runs one statement with text parameters (NULL for SQL NULL). `result` may be
 * NULL where no rows are wanted. */
int pg_query(struct pg *pg, const char *sql, const char *const *params, int param_count,
             struct pg_result **result) CHECKED;

/* As pg_query, prepared once a connection under the statement's own address:
 * `sql` must be a constant of the program. */
int pg_query_prepared(struct pg *pg, const char *sql, const char *const *params, int param_count,
                      struct pg_result **result) CHECKED;

/* Runs several statements separated by semicolons (migrations). */
int pg_script(struct pg *pg, const char *sql) CHECKED;

int pg_rows(const struct pg_result *result);
int pg_affected(const struct pg_result *result); /* of INSERT, UPDATE, DELETE */
bool pg_is_null(const struct pg_result *result, int row, int column);
const char *pg_text(const struct pg_result *result, int row, int column); /* "" for NULL */
struct span pg_span(const struct pg_result *result, int row, int column);
int64_t pg_int(const struct pg_result *result, int row, int column);
const char *pg_column(const struct pg_result *result, int column); /* its name */
int pg_columns(const struct pg_result *result);
void pg_result_free(struct pg_result *result); /* NULL is fine */

/* Binary COPY of rows that are complete in memory, so that it never waits for
 * anything but the server; from begin to end it counts as one call. `sql` is "COPY … FROM STDIN
 * (FORMAT binary)". Pieces hold whole rows or parts of them, without the format's header and
 * trailer. When pg_copy_begin succeeds pg_copy_end must follow; it tells of everything that went
 * wrong since, and compares the number of rows the server took with `rows`. */
int pg_copy_begin(struct pg *pg, const char *sql) CHECKED;
void pg_copy_put(struct pg *pg, struct span piece);
int pg_copy_end(struct pg *pg, int64_t rows) CHECKED;

/* A field of a binary COPY row: its length as 4 bytes, then the bytes. */
void pg_field_text(struct buffer *row, struct span value); /* ptr NULL: SQL NULL */
void pg_field_int64(struct buffer *row, int64_t value);
void pg_field_int32(struct buffer *row, int32_t value);
void pg_field_time(struct buffer *row, int64_t unix_us); /* timestamptz */
void pg_field_null(struct buffer *row);

/* Text array literals for parameters: '{"a","b"}'. Starts with an empty buffer. */
void pg_array_text(struct buffer *array, struct span element); /* ptr NULL: NULL */
void pg_array_int(struct buffer *array, int64_t element);
void pg_array_null(struct buffer *array);
void pg_array_end(struct buffer *array);

#endif
