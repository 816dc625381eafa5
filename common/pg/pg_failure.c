#include "common/pg/pg_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/pg/pg_words.h"

#define ASKED_SIZE 100

/* Only the primary message: detail and context repeat values of rows. */
void pg_remember(struct pg *pg, const char *sqlstate, const char *message)
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

static bool one_of(const char *sqlstate, const char *const *list)
{
    for (; *list; list++)
        if (strncmp(sqlstate, *list, strlen(*list)) == 0)
            return true;
    return false;
}

int pg_code_of(const char *sqlstate)
{
    static const char *const passing[] = {"08",    "40",    "53",    "57",    "58",
                                          "25006", "25P03", "25P04", "55P03", NULL};
    static const char *const data[] = {"22", "23", "54", NULL};
    if (one_of(sqlstate, passing))
        return ERR_BUSY;
    if (strcmp(sqlstate, "TL001") == 0)
        return ERR_CONFLICT;
    return one_of(sqlstate, data) ? ERR_INVALID : ERR_IO;
}

/* How a statement begins: its first words, without the comment before them. */
static void begin_of(const char *sql, char out[ASKED_SIZE])
{
    while (strncmp(sql, "--", 2) == 0) {
        const char *line_end = strchr(sql, '\n');
        sql = line_end ? line_end + 1 : "";
    }
    size_t len = 0;
    for (; *sql && len < ASKED_SIZE - 1; sql++) {
        bool space = *sql == ' ' || *sql == '\n' || *sql == '\t';
        if (!space)
            out[len++] = *sql;
        else if (len > 0 && out[len - 1] != ' ')
            out[len++] = ' ';
    }
    if (len > 0 && out[len - 1] == ' ')
        len--;
    out[len] = '\0';
}

static void log_failure(const struct pg_failure *failure)
{
    const struct log_field fields[] = {
        LOG_TEXT("sqlstate", failure->sqlstate),
        LOG_TEXT("error", failure->message),
        LOG_TEXT("asked", failure->asked),
        LOG_INT("waited_ms", failure->waited_ms),
        {0, 0, 0},
    };
    if (strcmp(failure->asked, PG_ASKED_CONNECTION) == 0)
        log_write(failure->code == ERR_BUSY ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR,
                  "PostgreSQL cannot be reached", fields);
    else if (failure->code == ERR_BUSY)
        log_write(LOG_LEVEL_WARN, "PostgreSQL cannot do this now", fields);
    else
        log_write(LOG_LEVEL_ERROR, "PostgreSQL refused a statement", fields);
}

int pg_report(struct pg *pg, int code)
{
    char asked[ASKED_SIZE], words[sizeof pg->message];
    begin_of(pg->asked ? pg->asked : "", asked);
    snprintf(words, sizeof words, "%s", pg->message);
    pg_words_of_statement(pg->sqlstate, words);
    const struct pg_failure failure = {code, pg->sqlstate, words, asked,
                                       clock_monotonic_ms() - pg->began_ms};
    if (pg->options.report)
        pg->options.report(pg->options.context, &failure);
    else
        log_failure(&failure);
    return code;
}

/* libpq's own errors have no SQLSTATE: connection_failure or internal_error. Where the server has
 * said why it hung up, that is the reason. */
static void remember_libpq(struct pg *pg, bool lost)
{
    if (lost && pg->last_word_sqlstate[0])
        pg_remember(pg, pg->last_word_sqlstate, pg->last_word);
    else
        pg_remember(pg, lost ? "08006" : "XX000", PQerrorMessage(pg->conn));
}

/* After a FATAL error the server hangs up, though libpq has not read that yet. */
static bool is_last_word(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

int pg_fail(struct pg *pg, const PGresult *result)
{
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    bool lost = PQstatus(pg->conn) == CONNECTION_BAD || pg->last_word_sqlstate[0];
    if (sqlstate)
        pg_remember(pg, sqlstate, message ? message : "");
    else
        remember_libpq(pg, lost);
    if (lost || in_class(pg->sqlstate, "08") || (result && is_last_word(result)))
        pg->broken = true;
    int code = pg_code_of(pg->sqlstate);
    return code == ERR_BUSY || code == ERR_IO ? pg_report(pg, code) : code;
}
