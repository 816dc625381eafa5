#include "common/pg/pg_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define STOP_MS 2000 /* unless options say another */

struct pg_result {
    PGresult *raw;
};

int pg_open(const char *conninfo, const char *application, const struct pg_options *options,
            struct pg **out)
{
    *out = NULL;
    struct pg *pg = calloc(1, sizeof *pg);
    if (!pg) {
        log_error("No memory for a connection to PostgreSQL");
        return ERR_MEMORY;
    }
    if (options)
        pg->options = *options;
    else
        pg->options.stop_ms = STOP_MS;
    if (pg->options.answer_ms <= 0)
        pg->options.answer_ms = PG_ANSWER_MS;
    pg_remember(pg, "00000", "");
    int rc = pg_connect(pg, conninfo, application);
    if (rc != 0) {
        pg_close(pg);
        return rc;
    }
    *out = pg;
    return 0;
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    PQfinish(pg->conn); /* says goodbye, and does not wait until that is sent */
    free(pg);
}

bool pg_broken(const struct pg *pg)
{
    return pg->broken || PQstatus(pg->conn) == CONNECTION_BAD;
}

void pg_set_answer_ms(struct pg *pg, int answer_ms)
{
    pg->options.answer_ms = answer_ms;
}

int pg_look(struct pg *pg)
{
    int rc = pg_begin(pg, "has it hung up?");
    if (rc != 0)
        return rc;
    bool there = PQconsumeInput(pg->conn) != 0;
    (void)PQisBusy(pg->conn); /* looks into what came: the server's last word, perhaps */
    if (!there || PQstatus(pg->conn) == CONNECTION_BAD || pg->last_word_sqlstate[0])
        return pg_fail(pg, NULL);
    return pg->began_ms - pg->heard_ms < PG_QUIET_MS ? 0 : pg_script(pg, "SELECT 1");
}

int pg_server_version(const struct pg *pg)
{
    return PQserverVersion(pg->conn);
}

const char *pg_sqlstate(const struct pg *pg)
{
    return pg->sqlstate;
}

const char *pg_message(const struct pg *pg)
{
    return pg->message;
}

/* A COPY where none belongs: nobody would feed it, so the connection is of no more use. */
static int misplaced_copy(struct pg *pg)
{
    pg->broken = true;
    pg_remember(pg, "XX000", "a COPY where none belongs");
    return pg_report(pg, ERR_IO);
}

/* The answer to what was sent (`sent`: what PQsend… returned), into *result where that is wanted.
 */
static int take(struct pg *pg, int sent, struct pg_result **result)
{
    PGresult *raw;
    int rc = pg_answer(pg, sent, &raw);
    if (rc != 0)
        return rc;
    ExecStatusType status = PQresultStatus(raw);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
        rc = misplaced_copy(pg);
    else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
        rc = pg_fail(pg, raw);
    if (rc != 0 || !result) {
        PQclear(raw);
        return rc;
    }
    *result = malloc(sizeof **result);
    if (!*result) {
        PQclear(raw);
        log_error("No memory for an answer of PostgreSQL");
        return ERR_MEMORY;
    }
    (*result)->raw = raw;
    return 0;
}

int pg_query(struct pg *pg, const char *sql, const char *const *params, int param_count,
             struct pg_result **result)
{
    if (result)
        *result = NULL;
    int rc = pg_begin(pg, sql);
    if (rc != 0)
        return rc;
    int sent = PQsendQueryParams(pg->conn, sql, param_count, NULL, params, NULL, NULL, 0);
    return take(pg, sent, result);
}

/* The statement's slot: its own, or a free one. NULL when the table is three quarters full. */
static const char **prepared_slot(struct pg *pg, const char *sql)
{
    uintptr_t hash = (uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15);
    for (unsigned i = 0; i < PG_PREPARED_SLOTS; i++) {
        const char **slot = &pg->prepared[((hash >> 32) + i) % PG_PREPARED_SLOTS];
        if (*slot == sql)
            return slot;
        if (!*slot)
            return pg->prepared_count < PG_PREPARED_SLOTS / 4 * 3 ? slot : NULL;
    }
    return NULL;
}

int pg_query_prepared(struct pg *pg, const char *sql, const char *const *params, int param_count,
                      struct pg_result **result)
{
    const char **slot = prepared_slot(pg, sql);
    if (!slot)
        return pg_query(pg, sql, params, param_count, result);
    if (result)
        *result = NULL;
    int rc = pg_begin(pg, sql);
    if (rc != 0)
        return rc;
    char name[32];
    snprintf(name, sizeof name, "s%lx", (unsigned long)(uintptr_t)sql);
    if (!*slot) {
        rc = take(pg, PQsendPrepare(pg->conn, name, sql, param_count, NULL), NULL);
        if (rc != 0)
            return rc;
        *slot = sql;
        pg->prepared_count++;
    }
    int sent = PQsendQueryPrepared(pg->conn, name, param_count, params, NULL, NULL, 0);
    return take(pg, sent, result);
}

int pg_script(struct pg *pg, const char *sql)
{
    int rc = pg_begin(pg, sql);
    return rc ? rc : take(pg, PQsendQuery(pg->conn, sql), NULL);
}

int pg_rows(const struct pg_result *result)
{
    return PQntuples(result->raw);
}

int pg_affected(const struct pg_result *result)
{
    return atoi(PQcmdTuples(result->raw));
}

bool pg_is_null(const struct pg_result *result, int row, int column)
{
    return PQgetisnull(result->raw, row, column) != 0;
}

const char *pg_text(const struct pg_result *result, int row, int column)
{
    const char *text = PQgetvalue(result->raw, row, column);
    return text ? text : "";
}

struct span pg_span(const struct pg_result *result, int row, int column)
{
    if (pg_is_null(result, row, column))
        return (struct span){NULL, 0};
    return (struct span){pg_text(result, row, column),
                         (size_t)PQgetlength(result->raw, row, column)};
}

int64_t pg_int(const struct pg_result *result, int row, int column)
{
    return strtoll(pg_text(result, row, column), NULL, 10);
}

const char *pg_column(const struct pg_result *result, int column)
{
    const char *name = PQfname(result->raw, column);
    return name ? name : "";
}

int pg_columns(const struct pg_result *result)
{
    return PQnfields(result->raw);
}

void pg_result_free(struct pg_result *result)
{
    if (!result)
        return;
    PQclear(result->raw);
    free(result);
}
