/*
 * PostgreSQL (over libpq): a connection, statements with parameters, errors
 * that keep their SQLSTATE. One thread per connection.
 *
 * Codes: ERR_BUSY for what passes (connection lost, too many connections,
 * deadlock, serialization, read-only, disk full: SQLSTATE classes 08, 40, 53,
 * 57, 58, 25006 and 55P03, a lock timeout), ERR_CONFLICT for a lost fence (TL001), ERR_INVALID for
 * what the data did (classes 22, 23), ERR_IO for the rest. All are logged once,
 * with SQLSTATE, except ERR_CONFLICT and ERR_INVALID, whose callers know
 * better what they mean.
 */
#ifndef COMMON_PG_PG_H
#define COMMON_PG_PG_H

#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

struct pg;
struct pg_result;

/* Connects (at most 5 s), sets TimeZone=UTC and application_name. */
int pg_open(const char *conninfo, const char *application, struct pg **out) CHECKED;
void pg_close(struct pg *pg);        /* NULL is fine */
bool pg_broken(const struct pg *pg); /* the connection is gone: close it, open another */
/* While nothing is asked: has the server hung up? Reads what is there, waits for nothing. ERR_BUSY,
 * logged, where the connection is gone. */
int pg_look(struct pg *pg) CHECKED;
int pg_server_version(const struct pg *pg); /* 150020 for 15.20 */

/* Of the last failure: five characters, and the server's message. Never NULL. */
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
 * anything but the server. `sql` is "COPY … FROM STDIN (FORMAT binary)". Pieces
 * hold whole rows or parts of them, without the format's header and trailer.
 * When pg_copy_begin succeeds pg_copy_end must follow; it tells of everything that
 * went wrong since, and compares the number of rows the server took with `rows`. */
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
