#include "common/pg/pg_internal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/pg/pg_words.h"

#define CONNECT_MS 5000

/* A server whose client is gone shall not work on for nobody, nor hold locks meanwhile; it cannot
 * look on every system. */
static const char settings[] =
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; "
    "SET standard_conforming_strings = on; SET bytea_output = 'hex'; "
    "DO $$ BEGIN SET client_connection_check_interval = '5s'; "
    "EXCEPTION WHEN OTHERS THEN NULL; END $$";

/* libpq would print notices on standard error as they come. A FATAL one is the server's last word
 * to who asks nothing. */
static void on_notice(void *context, const PGresult *notice)
{
    struct pg *pg = context;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    log_debug("PostgreSQL says", LOG_TEXT("notice", message));
    if (!severity || strcmp(severity, "FATAL") != 0)
        return;
    snprintf(pg->last_word_sqlstate, sizeof pg->last_word_sqlstate, "%s", sqlstate ? sqlstate : "");
    snprintf(pg->last_word, sizeof pg->last_word, "%s", message ? message : "");
}

static bool is_sqlstate(const char *text)
{
    for (int i = 0; i < 5; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'Z')))
            return false;
    return strncmp(text + 5, ": ", 2) == 0;
}

/* What libpq itself refuses has words only. A connection that was cut in the middle of a handshake
 * is no trouble with TLS. */
static const char *sqlstate_of_libpq(const char *text)
{
    static const char *const tls[] = {"certificate", "SSL error: ", "support SSL", "sslmode",
                                      "SSL negotiation"};
    if (strstr(text, "no password supplied"))
        return "28P01";
    for (size_t i = 0; i < sizeof tls / sizeof *tls; i++)
        if (strstr(text, tls[i]) && !strstr(text, "unexpected eof"))
            return PG_SQLSTATE_TLS;
    return "08001";
}

/* Why a connection was refused is to be had as text only: "FATAL:  28P01: password …", then lines
 * of where in the server's source. With several addresses the first that the server itself refused.
 */
static void remember_refusal(struct pg *pg, const char *text)
{
    for (const char *at = strstr(text, ":  "); at; at = strstr(at + 1, ":  ")) {
        if (!is_sqlstate(at + 3))
            continue;
        char sqlstate[6] = "", message[sizeof pg->message];
        memcpy(sqlstate, at + 3, 5);
        snprintf(message, sizeof message, "%.*s", (int)strcspn(at + 10, "\n"), at + 10);
        pg_remember(pg, sqlstate, message);
        pg_words_of_connection(pg->message);
        return;
    }
    pg_remember(pg, sqlstate_of_libpq(text), text);
    pg_words_of_connection(pg->message);
}

/* Drives PQconnectPoll under one deadline for all hosts and addresses of the
 * connection string (libpq's connect_timeout counts for each of them anew). */
static int establish(struct pg *pg)
{
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (PQstatus(pg->conn) != CONNECTION_BAD && want != PGRES_POLLING_FAILED) {
        if (want == PGRES_POLLING_OK)
            return 0;
        int rc = pg_wait(pg, want == PGRES_POLLING_READING ? POLLIN : POLLOUT);
        if (rc != 0)
            return rc;
        want = PQconnectPoll(pg->conn);
    }
    remember_refusal(pg, PQerrorMessage(pg->conn));
    return pg_report(pg, pg_code_of(pg->sqlstate) == ERR_BUSY ? ERR_BUSY : ERR_IO);
}

int pg_connect(struct pg *pg, const char *conninfo, const char *application)
{
    /* Before dbname: defaults that the connection string may override, so that a
     * peer that vanished without a word is noticed. After it: what always holds. */
    const char *const keys[] = {
        "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
        "dbname",          "application_name",    "client_encoding",  NULL};
    const char *const values[] = {"10", "5", "3", "30000", conninfo, application, "UTF8", NULL};
    int answer_ms = pg->options.answer_ms;
    pg->options.answer_ms = CONNECT_MS;
    int rc = pg_begin(pg, PG_ASKED_CONNECTION);
    if (rc == 0)
        rc = pg_conninfo_look(pg, conninfo);
    if (rc != 0)
        return rc;
    pg->conn = PQconnectStartParams(keys, values, 1);
    if (!pg->conn) {
        log_error("No memory for a connection to PostgreSQL");
        return ERR_MEMORY;
    }
    PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE); /* remember_refusal wants the SQLSTATE */
    PQsetNoticeReceiver(pg->conn, on_notice, pg);
    rc = establish(pg);
    if (rc == 0)
        pg_conninfo_tell(pg);
    if (rc == 0 && PQsetnonblocking(pg->conn, 1) != 0)
        rc = pg_fail(pg, NULL);
    if (rc == 0)
        rc = pg_script(pg, settings);
    pg->options.answer_ms = answer_ms;
    return rc;
}
