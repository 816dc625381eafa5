/* What `throughline status` asks PostgreSQL. */
#include <string.h>

#include "common/base/stop.h"
#include "common/pg/pg.h"
#include "services/aggregator/schema.h"
#include "services/cli/cli.h"
#include "services/cli/status.h"
#include "sql.h"

#define UNTOLD_SECONDS 60
#define LEASE_LOOKS    6 /* an aggregator that has just started, or taken over, takes them soon */
#define LEASE_WAIT_MS  500

/* What waits to be told is told within a moment, unless no aggregator does it. */
static void look_at_handoffs(struct pg *pg, struct status *status)
{
    struct pg_result *result;
    struct status_part *part = status_part(status, "handoffs");
    if (pg_query(pg, SQL_HANDOFFS_COUNT, NULL, 0, &result) != 0) {
        status_wrong(part, "%s", pg_message(pg));
        return;
    }
    long long live = pg_int(result, 0, 0), overdue = pg_int(result, 0, 1),
              undeliverable = pg_int(result, 0, 2), untold = pg_int(result, 0, 3),
              seconds = pg_int(result, 0, 4), unconfirmed = pg_int(result, 0, 5);
    pg_result_free(result);
    if (untold > 0 && seconds > UNTOLD_SECONDS)
        status_wrong(
            part,
            "%lld changes wait to be told, the first for %lld s: no aggregator publishes them",
            untold, seconds);
    else if (unconfirmed > UNTOLD_SECONDS)
        status_wrong(
            part,
            "openings wait to be confirmed, the first for %lld s: no aggregator does it, or a "
            "transaction of the writers' role does not end",
            unconfirmed);
    else
        status_fine(part, "%lld open, of them %lld overdue, %lld undeliverable%s", live, overdue,
                    undeliverable, overdue + undeliverable > 0 ? ": throughline handoffs" : "");
}

/* quarantine_limit as the aggregators' configuration says; 0 where that cannot be read here. */
static int64_t quarantine_limit(const struct cli *cli)
{
    struct fault fault = {0};
    struct config *config;
    if (config_load(cli->config_dir, "tl-aggregator", PROGRAM_AGGREGATOR, &config, &fault) != 0)
        return 0;
    int64_t limit = config_number(config, "quarantine_limit");
    config_free(config);
    return limit;
}

static void look_at_quarantine(const struct cli *cli, struct pg *pg, struct status *status)
{
    const char *params[] = {"waiting", NULL};
    struct pg_result *result;
    struct status_part *part = status_part(status, "quarantine");
    if (pg_query(pg, SQL_QUARANTINE_COUNT, params, 2, &result) != 0) {
        status_wrong(part, "%s", pg_message(pg));
        return;
    }
    status->waiting = pg_int(result, 0, 0);
    pg_result_free(result);
    status_judge_quarantine(status->waiting, quarantine_limit(cli), part);
}

/* Names those that nobody holds, "relay, watch"; "" where all are held. A code. */
static int free_leases(struct pg *pg, char *names, size_t size)
{
    struct pg_result *result;
    int rc = pg_query(pg, SQL_STATUS_LEASES, NULL, 0, &result);
    *names = '\0';
    for (int row = 0; rc == 0 && row < pg_rows(result); row++) {
        size_t len = strlen(names);
        if (strcmp(pg_text(result, row, 1), "t") != 0)
            snprintf(names + len, size - len, "%s%s", len ? ", " : "", pg_text(result, row, 0));
    }
    if (rc == 0)
        pg_result_free(result);
    return rc;
}

static void look_at_leases(struct pg *pg, struct status *status)
{
    char names[128];
    struct status_part *part = status_part(status, "leases");
    int rc = free_leases(pg, names, sizeof names);
    for (int look = 1; rc == 0 && *names && look < LEASE_LOOKS && !stop_wait(LEASE_WAIT_MS); look++)
        rc = free_leases(pg, names, sizeof names);
    if (rc != 0)
        status_wrong(part, "%s", pg_message(pg));
    else if (*names)
        status_wrong(part, "no aggregator holds: %s: nothing is told, or judged, until one does",
                     names);
    else
        status_fine(part, "an aggregator relays, and one watches");
}

/* False when nothing else can be asked. */
static bool look_at_schema(struct pg *pg, struct status_part *part)
{
    int version, server = pg_server_version(pg);
    if (schema_version(pg, &version) != 0) {
        status_wrong(part, "%s", pg_message(pg));
        return false;
    }
    if (version != schema_newest()) {
        status_wrong(part, "PostgreSQL %d.%d, schema at version %d of %d: %s", server / 10000,
                     server % 10000, version, schema_newest(),
                     version < schema_newest() ? "run throughline migrate"
                                               : "this program is older");
        return false;
    }
    status_fine(part, "PostgreSQL %d.%d, schema at version %d", server / 10000, server % 10000,
                version);
    return true;
}

static void look_into(const struct cli *cli, struct pg *pg, struct status *status,
                      struct status_part *part, bool recount)
{
    if (!look_at_schema(pg, part))
        return;
    int rc = recount ? books_read(&status->books, pg) : books_read_kept(&status->books, pg);
    status->books_known = rc == 0;
    status->recounted = recount;
    if (rc != 0)
        status_wrong(part, "%s", *pg_message(pg) ? pg_message(pg) : error_name(rc));
    look_at_quarantine(cli, pg, status);
    look_at_handoffs(pg, status);
    look_at_leases(pg, status);
}

void status_look_at_database(const struct cli *cli, struct status *status, struct status_part *part,
                             bool recount)
{
    const char *database = config_text(cli->config, "database");
    struct pg *pg;
    if (!database)
        status_wrong(part, "none is configured: set TL_DATABASE");
    else if (cli_open_database(cli, database, &pg) != 0)
        status_wrong(part, "it cannot be reached");
    else {
        look_into(cli, pg, status, part, recount);
        pg_close(pg);
    }
}
