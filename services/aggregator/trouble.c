#include "services/aggregator/trouble.h"

#include <stdio.h>
#include <string.h>

#include "common/pg/pg.h"

static const char *const kind_names[TROUBLE_KINDS] = {
    [TROUBLE_CONNECTION] = "connection",
    [TROUBLE_TIMEOUT] = "timeout",
    [TROUBLE_TLS] = "tls",
    [TROUBLE_RETRY] = "retry",
    [TROUBLE_RESOURCES] = "resources",
    [TROUBLE_READ_ONLY] = "read_only",
    [TROUBLE_RIGHTS] = "rights",
    [TROUBLE_SCHEMA] = "schema",
    [TROUBLE_DATA] = "data",
    [TROUBLE_OTHER] = "other",
};

#define SCHEMA_CHANGED                                                                             \
    "the schema is not as the migrations left it: put back what was dropped or changed"

/* The first that fits counts, so whole codes stand before their classes. */
static const struct trouble_cause causes[] = {
    {"08006", TROUBLE_CONNECTION, "the database (the connection was lost)",
     "is the server running, and does the network let us through?"},
    {"08001", TROUBLE_CONNECTION, "the database (it cannot be reached)",
     "is the server running, and does TL_DATABASE name the right host and port?"},
    {PG_SQLSTATE_TLS, TROUBLE_TLS, "the database (no TLS connection with it)",
     "is the server's certificate signed by one in sslrootcert, not expired, and made for the "
     "host's name "
     "in TL_DATABASE? does the server have TLS at all?"},
    {"57P01", TROUBLE_CONNECTION, "the database (it was shut down, or the session was ended)", ""},
    {"57P02", TROUBLE_CONNECTION, "the database (it has crashed)", "see the server's log"},
    {"57P03", TROUBLE_CONNECTION, "the database (it starts up or shuts down)", ""},
    {"57014", TROUBLE_TIMEOUT, "the database (a statement took too long)",
     "what keeps the server busy, or holds the locks? see pg_stat_activity; else raise "
     "database_timeout"},
    {"55P03", TROUBLE_TIMEOUT, "the database (a lock was not to be had in time)",
     "who holds the lock? see pg_locks and pg_stat_activity"},
    {"25P03", TROUBLE_TIMEOUT, "the database (it ended a session that did not go on)", ""},
    {"25P04", TROUBLE_TIMEOUT, "the database (a transaction took too long)", ""},
    {"40", TROUBLE_RETRY, "the database (it undoes our transactions)", ""},
    {"53100", TROUBLE_RESOURCES, "the database (its disk is full)",
     "make room on the server's disk"},
    {"53200", TROUBLE_RESOURCES, "the database (it has no memory)",
     "out of shared memory: raise the server's max_locks_per_transaction, each month of the "
     "timeline wants some; else give it more memory, or lower its work_mem"},
    {"53300", TROUBLE_RESOURCES, "the database (too many connections)",
     "raise the server's max_connections or the role's limit, or lower writers"},
    {"53", TROUBLE_RESOURCES, "the database (it lacks resources)", "see the server's log"},
    {"25006", TROUBLE_READ_ONLY, "the database (it is read-only)",
     "TL_DATABASE must lead to the primary (target_session_attrs=read-write), and "
     "default_transaction_read_only must be off"},
    {"28", TROUBLE_RIGHTS, "the database (it refuses the user)",
     "check user and password in TL_DATABASE, and the server's pg_hba.conf"},
    {"3D000", TROUBLE_RIGHTS, "the database (there is none of that name)",
     "check TL_DATABASE; a new database wants `throughline migrate`"},
    {"42501", TROUBLE_RIGHTS, "the database (a right is missing)",
     "GRANT throughline_writer to the aggregator's user"},
    {"3F000", TROUBLE_SCHEMA, "the database (a migration is missing)", "run `throughline migrate`"},
    {"42P01", TROUBLE_SCHEMA, "the database (a table is missing)", SCHEMA_CHANGED},
    {"42703", TROUBLE_SCHEMA, "the database (a column is missing)", SCHEMA_CHANGED},
    {"42883", TROUBLE_SCHEMA, "the database (a function is missing)", SCHEMA_CHANGED},
    {"42", TROUBLE_SCHEMA, "the database (it refuses a statement)", SCHEMA_CHANGED},
    {"22", TROUBLE_DATA, "the database (it refuses a batch)",
     "nothing is lost: the batch waits in Kafka; see the server's log"},
    {"23", TROUBLE_DATA, "the database (it refuses a batch)",
     "nothing is lost: the batch waits in Kafka; see the server's log"},
    {"54", TROUBLE_DATA, "the database (a batch is past one of its limits)",
     "nothing is lost: the batch waits in Kafka; see the server's log"},
    {"08", TROUBLE_CONNECTION, "the database (the connection was lost)", ""},
    {"57", TROUBLE_CONNECTION, "the database (an operator intervenes)", ""},
    {"58", TROUBLE_RESOURCES, "the database (its system fails it)", "see the server's log"},
    {"", TROUBLE_OTHER, "the database (it refuses a statement)", "see the server's log"},
};

const char *trouble_kind_name(enum trouble_kind kind)
{
    return kind_names[kind];
}

const struct trouble_cause *trouble_cause(const char *sqlstate)
{
    const struct trouble_cause *cause = causes;
    while (strncmp(cause->sqlstate, sqlstate, strlen(cause->sqlstate)) != 0)
        cause++;
    return cause; /* the last one fits everything */
}

/* Where that cause is remembered, or the place that was told of longest ago. */
static int find_cause(const struct trouble *trouble, const char *sqlstate)
{
    int oldest = 0;
    for (int i = 0; i < TROUBLE_CAUSES; i++) {
        if (strcmp(trouble->causes[i].sqlstate, sqlstate) == 0)
            return i;
        if (trouble->causes[i].told_ms < trouble->causes[oldest].told_ms)
            oldest = i;
    }
    return oldest;
}

/* One more line this minute? */
static bool has_line(struct trouble *trouble, int64_t now_ms)
{
    if (trouble->lines == 0 || now_ms - trouble->minute_ms >= TROUBLE_MINUTE_MS) {
        trouble->minute_ms = now_ms;
        trouble->lines = 0;
    }
    if (trouble->lines >= TROUBLE_LINES)
        return false;
    trouble->lines++;
    return true;
}

bool trouble_met(struct trouble *trouble, int writer, const char *sqlstate, int64_t now_ms)
{
    if (trouble->writers == 0) {
        trouble->outage++;
        trouble->since_ms = now_ms;
        trouble->failures = 0;
        trouble->told = false;
    }
    trouble->writers |= UINT64_C(1) << writer;
    trouble->failures++;
    int at = find_cause(trouble, sqlstate);
    bool known = strcmp(trouble->causes[at].sqlstate, sqlstate) == 0;
    bool passes = trouble_cause(sqlstate)->kind == TROUBLE_RETRY;
    bool same = known && (passes || trouble->causes[at].outage == trouble->outage);
    if (same && now_ms - trouble->causes[at].told_ms < TROUBLE_MINUTE_MS)
        return false;
    if (!has_line(trouble, now_ms))
        return false;
    snprintf(trouble->causes[at].sqlstate, sizeof trouble->causes[at].sqlstate, "%s", sqlstate);
    trouble->causes[at].outage = trouble->outage;
    trouble->causes[at].told_ms = now_ms;
    trouble->told = true;
    return true;
}

bool trouble_over(struct trouble *trouble, int writer)
{
    uint64_t bit = UINT64_C(1) << writer;
    if (!(trouble->writers & bit))
        return false;
    trouble->writers &= ~bit;
    return trouble->writers == 0 && trouble->told;
}
