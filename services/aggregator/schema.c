#include "services/aggregator/schema.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/retry.h"
#include "common/base/stop.h"
#include "sql.h"

static const struct migration {
    int version;
    const char *name, *text;
} migrations[] = {
#include "migrations.h"
};

#define MIGRATIONS (sizeof migrations / sizeof migrations[0])
#define TRIES      8

int schema_newest(void)
{
    return migrations[MIGRATIONS - 1].version;
}

int schema_version(struct pg *pg, int *version)
{
    struct pg_result *result;
    *version = 0;
    int rc = pg_query(pg, SQL_SCHEMA_EXISTS, NULL, 0, &result);
    if (rc != 0)
        return rc;
    bool exists = strcmp(pg_text(result, 0, 0), "t") == 0;
    pg_result_free(result);
    if (!exists)
        return 0;
    rc = pg_query(pg, SQL_SCHEMA_VERSION, NULL, 0, &result);
    if (rc != 0)
        return rc;
    *version = (int)pg_int(result, 0, 0);
    pg_result_free(result);
    return 0;
}

/* What the database has had must be what this build would have given it. */
static int check_history(struct pg *pg, int *version)
{
    struct pg_result *result;
    int rc = pg_query(pg, SQL_SCHEMA_HISTORY, NULL, 0, &result);
    if (rc != 0)
        return rc;
    *version = 0;
    for (int row = 0; row < pg_rows(result) && rc == 0; row++) {
        int64_t had = pg_int(result, row, 0);
        if (had > schema_newest()) {
            log_error("the database is newer than this program",
                      LOG_TEXT("migration", pg_text(result, row, 1)),
                      LOG_INT("newest_known", schema_newest()));
            rc = ERR_CONFLICT;
        } else if (had != row + 1 || strcmp(pg_text(result, row, 1), migrations[row].name) != 0) {
            log_error("the database was migrated by another line of versions",
                      LOG_TEXT("migration", pg_text(result, row, 1)),
                      LOG_TEXT("expected", migrations[row].name));
            rc = ERR_CONFLICT;
        }
        *version = (int)had;
    }
    pg_result_free(result);
    return rc;
}

/* Says which step failed; the server's own words go along, as not every code has been logged. */
static int failed(const struct pg *pg, int rc, const char *step)
{
    log_error("a migration failed", LOG_TEXT("migration", step),
              LOG_TEXT("sqlstate", pg_sqlstate(pg)), LOG_TEXT("error", pg_message(pg)));
    return rc;
}

/* Runs the first migration that is missing, in the transaction that is open. */
static int apply_next(struct pg *pg, int *version, bool *applied)
{
    int rc = pg_script(pg, SQL_SCHEMA_BEGIN);
    if (rc != 0)
        return failed(pg, rc, "the table of migrations");
    rc = check_history(pg, version);
    if (rc != 0 || *version == schema_newest())
        return rc;
    const struct migration *next = &migrations[*version];
    rc = pg_script(pg, next->text);
    if (rc != 0)
        return failed(pg, rc, next->name);
    char number[16];
    snprintf(number, sizeof number, "%d", next->version);
    rc = pg_query(pg, SQL_SCHEMA_RECORD, (const char *const[]){number, next->name}, 2, NULL);
    if (rc == 0) {
        *version = next->version;
        *applied = true;
    }
    return rc;
}

static int step(struct pg *pg, int *version, bool *applied)
{
    *applied = false;
    int rc = pg_script(pg, "BEGIN");
    if (rc != 0)
        return rc;
    rc = apply_next(pg, version, applied);
    if (rc == 0)
        return pg_script(pg, "COMMIT");
    /* The failure has been told; one of the rollback would only be its echo. */
    if (!pg_broken(pg) && pg_script(pg, "ROLLBACK") != 0)
        return ERR_IO;
    return rc;
}

int schema_migrate(struct pg *pg, schema_applied *applied, void *context, int *version)
{
    struct retry retry;
    retry_init(&retry, 50, 1000, TRIES);
    *version = 0;
    while (*version < schema_newest()) {
        bool did;
        int64_t since = clock_monotonic_ms();
        int rc = step(pg, version, &did);
        if (rc == 0 && did) {
            applied(context, *version, migrations[*version - 1].name, clock_monotonic_ms() - since);
            retry_reset(&retry);
        }
        if (rc == 0)
            continue;
        int wait = rc == ERR_BUSY && !pg_broken(pg) ? retry_next_ms(&retry) : -1;
        if (wait < 0)
            return rc;
        if (stop_wait(wait))
            return ERR_STOPPED;
    }
    return pg_script(pg, SQL_SCHEMA_ADOPT);
}
