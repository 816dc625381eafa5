#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/event/vocabulary.h"
#include "common/http/readiness.h"
#include "common/pg/pg.h"
#include "services/aggregator/schema.h"
#include "services/cli/books.h"
#include "services/cli/cli.h"
#include "services/cli/status.h"
#include "services/cli/table.h"
#include "sql.h"

#define AGGREGATOR_ADDRESS "127.0.0.1:8110"
#define READY_MS           2000
#define KAFKA_MS           5000
#define UNTOLD_SECONDS     60

static void look_at_brokers(const struct cli *cli, struct status *status)
{
    struct fault fault = {0};
    struct kafka_admin *kafka;
    struct status_part *part = status_part(status, "brokers");
    int rc = kafka_admin_open(cli->config, &kafka, &fault);
    if (rc != 0) {
        status_wrong(part, "%s %s", fault.pointer, fault.detail);
        return;
    }
    struct kafka_cluster cluster;
    const char *brokers = config_text(cli->config, "brokers");
    rc = kafka_admin_look(kafka, BOOKS_TOPICS, KAFKA_MS, &cluster);
    if (rc != 0) {
        status_wrong(part, "%s: %s", brokers, kafka_admin_why(kafka));
    } else {
        status_fine(part, "%s, %zu partitions of %s*", brokers, cluster.count, BOOKS_TOPICS);
        if (books_join(&status->books, &cluster) != 0)
            status_wrong(part, "no memory");
        kafka_cluster_free(&cluster);
    }
    kafka_admin_close(kafka);
}

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

/* Sets version and books, counts quarantine. */
static void look_into_database(struct pg *pg, struct status *status, struct status_part *part)
{
    int version;
    if (schema_version(pg, &version) != 0) {
        status_wrong(part, "%s", pg_message(pg));
        return;
    }
    int server = pg_server_version(pg);
    if (version != schema_newest()) {
        status_wrong(part, "PostgreSQL %d.%d, schema at version %d of %d: %s", server / 10000,
                     server % 10000, version, schema_newest(),
                     version < schema_newest() ? "run throughline migrate"
                                               : "this program is older");
        return;
    }
    status_fine(part, "PostgreSQL %d.%d, schema at version %d", server / 10000, server % 10000,
                version);
    const char *params[] = {"waiting", NULL};
    struct pg_result *result;
    struct status_part *quarantine = status_part(status, "quarantine");
    int rc = pg_query(pg, SQL_QUARANTINE_COUNT, params, 2, &result);
    if (rc == 0) {
        status->waiting = pg_int(result, 0, 0);
        if (status->waiting == 0)
            status_fine(quarantine, "nothing waits");
        else
            status_fine(quarantine, "%lld waiting for a decision: throughline quarantine list",
                        (long long)status->waiting);
        pg_result_free(result);
        rc = books_read(&status->books, pg);
    }
    if (rc != 0)
        status_wrong(quarantine, "%s", pg_message(pg));
    status->books_known = rc == 0;
    if (rc == 0)
        look_at_handoffs(pg, status);
}

static void look_at_database(const struct cli *cli, struct status *status)
{
    struct status_part *part = status_part(status, "database");
    const char *database = config_text(cli->config, "database");
    struct pg *pg;
    if (!database)
        status_wrong(part, "none is configured: set TL_DATABASE");
    else if (cli_open_database(cli, database, &pg) != 0)
        status_wrong(part, "it cannot be reached");
    else {
        look_into_database(pg, status, part);
        pg_close(pg);
    }
}

static void look_at_service(const struct cli *cli, struct status *status, const char *name,
                            enum program_kind kind, const char *fallback)
{
    struct status_part *part = status_part(status, name);
    struct fault fault = {0};
    char address[256], text[READINESS_TEXT];
    if (!cli_address(cli, name, kind, fallback, address, sizeof address, &fault)) {
        status_wrong(part, "%s: %s", fault.pointer, fault.detail);
        return;
    }
    int rc = readiness_ask(address, READY_MS, text);
    if (rc != 0)
        status_wrong(part, "%s", rc == ERR_BUSY ? text : error_name(rc));
    else
        status_fine(part, "%s, ready", address);
}

static void look_at_services(const struct cli *cli, struct status *status)
{
    struct fault fault = {0};
    struct vocabulary *vocabulary;
    if (vocabulary_load(cli->config_dir, &vocabulary, &fault) != 0) {
        status_wrong(status_part(status, "configuration"), "%s: %s: %s", fault.file, fault.pointer,
                     fault.detail);
    } else {
        for (size_t i = 0; i < vocabulary->count; i++) {
            char name[64];
            snprintf(name, sizeof name, "tl-%s", vocabulary->departments[i].name);
            look_at_service(cli, status, name, PROGRAM_DEPARTMENT,
                            vocabulary->departments[i].listen);
        }
        vocabulary_free(vocabulary);
    }
    look_at_service(cli, status, "tl-aggregator", PROGRAM_AGGREGATOR, AGGREGATOR_ADDRESS);
}

static int run(struct cli *cli, int argc, char **argv)
{
    int exit_status;
    if (!cli_arguments(cli, argc, argv, NULL, NULL, 0, 0, &exit_status))
        return exit_status;
    exit_status = cli_load(cli);
    if (exit_status != 0)
        return exit_status;
    struct status *status = calloc(1, sizeof *status);
    if (!status)
        return cli_failed("no memory");
    books_init(&status->books);
    /* The books before the brokers: so a lag is never negative by the order of looking. */
    look_at_database(cli, status);
    look_at_brokers(cli, status);
    look_at_services(cli, status);
    status_judge_books(status);
    exit_status = status_print(status, cli->json);
    books_free(&status->books);
    free(status);
    return exit_status;
}

const struct command command_status = {
    "status",
    "",
    "the whole stack on one screen, what is wrong first",
    "Brokers, database, services, how far the timeline is behind, the books, quarantine, handoffs. "
    "For the\n"
    "books every row of the timeline is counted, which takes a moment where there are many.\n"
    "\n"
    "exit status: 0 all is well; 1 something is wrong\n",
    run,
};
