#include "common/pg/pg_internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define CONNECT_MS 5000

struct pg_result {
    PGresult *raw;
};

/* Only the primary message: detail and context repeat values of rows. */
static void remember(struct pg *pg, const char *sqlstate, const char *message)
{
    snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", sqlstate);
    snprintf(pg->message, sizeof pg->message, "%s", message);
    size_t len = strlen(pg->message);
    while (len > 0 && pg->message[len - 1] == '\n')
        pg->message[--len] = '\0';
}

static bool in_class(const char *sqlstate, const char *class)
{
    return strncmp(sqlstate, class, 2) == 0;
}

int pg_code_of(const char *sqlstate)
{
    static const char *const passing[] = {"08", "40", "53", "57", "58"};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (in_class(sqlstate, passing[i]))
            return ERR_BUSY;
    if (strcmp(sqlstate, "25006") == 0 || strcmp(sqlstate, "55P03") == 0)
        return ERR_BUSY;
    if (strcmp(sqlstate, "TL001") == 0)
        return ERR_CONFLICT;
    if (in_class(sqlstate, "22") || in_class(sqlstate, "23"))
        return ERR_INVALID;
    return ERR_IO;
}

int pg_fail(struct pg *pg, const PGresult *result)
{
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    bool lost = PQstatus(pg->conn) == CONNECTION_BAD;
    /* libpq's own errors have no SQLSTATE: connection_failure or internal_error. */
    remember(pg,
             sqlstate ? sqlstate
             : lost   ? "08006"
                      : "XX000",
             message ? message : PQerrorMessage(pg->conn));
    /* After 57P01..57P03 and 57P05 the server hangs up, though libpq has not read that yet. */
    if (lost || in_class(pg->sqlstate, "08") || strncmp(pg->sqlstate, "57P", 3) == 0)
        pg->broken = true;

    int code = pg_code_of(pg->sqlstate);
    if (code == ERR_BUSY)
        log_warn("PostgreSQL cannot do this now", LOG_TEXT("sqlstate", pg->sqlstate),
                 LOG_TEXT("error", pg->message));
    else if (code == ERR_IO)
        log_error("PostgreSQL refused a statement", LOG_TEXT("sqlstate", pg->sqlstate),
                  LOG_TEXT("error", pg->message));
    return code;
}

/* libpq would print notices on standard error as they come. */
static void on_notice(void *unused, const char *message)
{
    (void)unused;
    log_debug("PostgreSQL says", LOG_TEXT("notice", message));
}

/* Drives PQconnectPoll under one deadline for all hosts and addresses of the
 * connection string (libpq's connect_timeout counts for each of them anew). */
static bool connect_within(PGconn *conn, int ms)
{
    int64_t deadline = clock_monotonic_ms() + ms;
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (PQstatus(conn) != CONNECTION_BAD && want != PGRES_POLLING_FAILED) {
        if (want == PGRES_POLLING_OK)
            return true;
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0)
            return false;
        struct pollfd fd = {PQsocket(conn), want == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0};
        if (poll(&fd, 1, (int)left) > 0)
            want = PQconnectPoll(conn);
    }
    return false;
}

static int connect_to(struct pg *pg, const char *conninfo, const char *application)
{
    /* Before dbname: defaults that the connection string may override, so that a
     * peer that vanished without a word is noticed. After it: what always holds. */
    const char *const keys[] = {
        "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
        "dbname",          "application_name",    "client_encoding",  NULL};
    const char *const values[] = {"10", "5", "3", "30000", conninfo, application, "UTF8", NULL};
    pg->conn = PQconnectStartParams(keys, values, 1);
    if (!pg->conn)
        return ERR_MEMORY;
    PQsetNoticeProcessor(pg->conn, on_notice, NULL);
    if (!connect_within(pg->conn, CONNECT_MS)) {
        bool refused = PQstatus(pg->conn) == CONNECTION_BAD;
        remember(pg, "08001", refused ? PQerrorMessage(pg->conn) : "no answer in time");
        log_warn("PostgreSQL cannot be reached", LOG_TEXT("error", pg->message));
        return ERR_BUSY;
    }
    return pg_script(pg, "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = "
                         "'postgres'; SET standard_conforming_strings = on; "
                         "SET bytea_output = 'hex'");
}

static int check_conninfo(const char *conninfo)
{
    char *error = NULL;
    /* A bare name is a database to libpq. */
    if (!strchr(conninfo, '=') && !strstr(conninfo, "://"))
        return 0;
    PQconninfoOption *parsed = PQconninfoParse(conninfo, &error);
    if (parsed) {
        PQconninfoFree(parsed);
        return 0;
    }
    log_error("the connection string for PostgreSQL is malformed", LOG_TEXT("error", error));
    PQfreemem(error);
    return ERR_IO;
}

int pg_open(const char *conninfo, const char *application, struct pg **out)
{
    *out = NULL;
    int rc = check_conninfo(conninfo);
    if (rc != 0)
        return rc;
    struct pg *pg = calloc(1, sizeof *pg);
    if (!pg)
        return ERR_MEMORY;
    remember(pg, "00000", "");
    rc = connect_to(pg, conninfo, application);
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
    PQfinish(pg->conn);
    free(pg);
}

bool pg_broken(const struct pg *pg)
{
    return pg->broken || PQstatus(pg->conn) == CONNECTION_BAD;
}

int pg_look(struct pg *pg)
{
    return !pg_broken(pg) && PQconsumeInput(pg->conn) ? 0 : pg_fail(pg, NULL);
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

/* Takes `raw` over: into *result, or clears it. */
static int take(struct pg *pg, PGresult *raw, struct pg_result **result)
{
    ExecStatusType status = PQresultStatus(raw);
    int rc = 0;
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
        rc = pg_fail(pg, raw);
    if (rc != 0 || !result) {
        PQclear(raw);
        return rc;
    }
    *result = malloc(sizeof **result);
    if (!*result) {
        PQclear(raw);
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
    return take(pg, PQexecParams(pg->conn, sql, param_count, NULL, params, NULL, NULL, 0), result);
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
    char name[32];
    snprintf(name, sizeof name, "s%lx", (unsigned long)(uintptr_t)sql);
    if (!*slot) {
        int rc = take(pg, PQprepare(pg->conn, name, sql, param_count, NULL), NULL);
        if (rc != 0)
            return rc;
        *slot = sql;
        pg->prepared_count++;
    }
    return take(pg, PQexecPrepared(pg->conn, name, param_count, params, NULL, NULL, 0), result);
}

int pg_script(struct pg *pg, const char *sql)
{
    return take(pg, PQexec(pg->conn, sql), NULL);
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
