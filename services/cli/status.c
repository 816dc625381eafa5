#include "services/cli/status.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/event/vocabulary.h"
#include "common/http/readiness.h"
#include "services/cli/cli.h"

#define AGGREGATOR_ADDRESS "127.0.0.1:8110"
#define READY_MS           2000

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

static void look_at_services(const struct cli *cli, struct status *status,
                             const struct vocabulary *vocabulary)
{
    for (size_t i = 0; vocabulary && i < vocabulary->count; i++) {
        char name[64];
        snprintf(name, sizeof name, "tl-%s", vocabulary->departments[i].name);
        look_at_service(cli, status, name, PROGRAM_DEPARTMENT, vocabulary->departments[i].listen);
    }
    look_at_service(cli, status, "tl-aggregator", PROGRAM_AGGREGATOR, AGGREGATOR_ADDRESS);
}

static struct vocabulary *load_vocabulary(const struct cli *cli, struct status_part *part)
{
    struct fault fault = {0};
    struct vocabulary *vocabulary;
    if (vocabulary_load(cli->config_dir, &vocabulary, &fault) == 0)
        return vocabulary;
    status_wrong(part, "%s: %s: %s", fault.file, fault.pointer, fault.detail);
    return NULL;
}

/* The parts stand in the order in which one is the cause of another. */
static void look(const struct cli *cli, struct status *status, bool recount)
{
    struct status_part *database = status_part(status, "database"),
                       *brokers = status_part(status, "brokers"),
                       *topics = status_part(status, "topics");
    struct vocabulary *vocabulary = load_vocabulary(cli, status_part(status, "configuration"));
    look_at_services(cli, status, vocabulary);
    struct status_part *partitions = status_part(status, "partitions"),
                       *books = status_part(status, "books"), *lag = status_part(status, "lag");
    /* The books before the brokers: so a lag is never negative by the order of looking. */
    status_look_at_database(cli, status, database, recount);
    status_look_at_brokers(cli, status, vocabulary, brokers, topics);
    status_judge_partitions(status, partitions);
    status_judge_books(status, books);
    status_judge_lag(status, lag);
    vocabulary_free(vocabulary);
}

static int run(struct cli *cli, int argc, char **argv)
{
    int exit_status;
    bool recount = false;
    const struct cli_option options[] = {{"--recount", CLI_FLAG, &recount}, {0}};
    if (!cli_arguments(cli, argc, argv, options, NULL, 0, 0, &exit_status))
        return exit_status;
    exit_status = cli_load(cli);
    if (exit_status != 0)
        return exit_status;
    struct status *status = calloc(1, sizeof *status);
    if (!status)
        return cli_failed("no memory");
    books_init(&status->books);
    look(cli, status, recount);
    exit_status = status_print(status, cli->json);
    books_free(&status->books);
    free(status);
    return exit_status;
}

const struct command command_status = {
    "status",
    "[--recount]",
    "the whole stack on one screen, what is wrong first",
    "Database, brokers, topics, services, how far the timeline is behind (in records, and how long "
    "the\n"
    "oldest waits), the books as they are kept, quarantine, handoffs, who relays and who watches.\n"
    "Changes nothing. Services are asked where their configuration says that they listen, or "
    "where\n"
    "TL_SERVICES says.\n"
    "\n"
    "  --recount   counts every row of the timeline for the books, as reconcile does\n"
    "\n"
    "exit status: 0 all is well; 1 something is wrong; 2 wrong usage or configuration\n",
    run,
};
