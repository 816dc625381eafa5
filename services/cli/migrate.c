#include <stdio.h>

#include "common/pg/pg.h"
#include "services/aggregator/schema.h"
#include "services/cli/cli.h"
#include "services/cli/topics.h"

#define WAIT_MS 15000 /* for the brokers, where they start at the same time */

struct outcome {
    bool json;
    int applied;
};

static void tell(void *context, int version, const char *name, int64_t took_ms)
{
    struct outcome *outcome = context;
    if (outcome->json)
        printf("%s{\"version\": %d, \"name\": \"%s\", \"milliseconds\": %lld}",
               outcome->applied ? ", " : "", version, name, (long long)took_ms);
    else
        printf("%s applied in %lld ms\n", name, (long long)took_ms);
    fflush(stdout);
    outcome->applied++;
}

/* *open: a JSON object is begun, and left open. */
static int migrate_database(struct cli *cli, bool *open)
{
    struct pg *pg;
    int status = cli_connect(cli, &pg);
    if (status != 0)
        return status;
    pg_set_answer_ms(pg, PG_LONG_WORK_MS);
    struct outcome outcome = {.json = cli->json};
    int version;
    *open = cli->json;
    if (cli->json)
        fputs("{\"applied\": [", stdout);
    int rc = schema_migrate(pg, tell, &outcome, &version);
    if (cli->json)
        printf("], \"version\": %d", version);
    else if (rc == 0 && outcome.applied == 0)
        printf("the database is at version %d already\n", version);
    else if (rc == 0)
        printf("the database is at version %d now\n", version);
    pg_close(pg);
    return rc == 0 ? EXIT_OK : EXIT_FAILED;
}

static int run(struct cli *cli, int argc, char **argv)
{
    int status;
    const char *word = "make";
    int64_t wait_ms = WAIT_MS;
    enum topics_mode mode;
    const struct cli_option options[] = {
        {"--topics", CLI_TEXT, &word}, {"--wait", CLI_DURATION, &wait_ms}, {0}};
    if (!cli_arguments(cli, argc, argv, options, NULL, 0, 0, &status))
        return status;
    if (!topics_mode(word, &mode))
        return cli_usage(cli, "--topics wants make, check or skip, not \"%s\"", word);
    bool open = false;
    status = migrate_database(cli, &open);
    if (status == EXIT_OK && mode != TOPICS_SKIP)
        status = topics_migrate(cli, mode, wait_ms);
    if (open)
        puts("}");
    return status;
}

const struct command command_migrate = {
    "migrate",
    "[--topics make|check|skip] [--wait TIME]",
    "bring the database to this version's schema, and make the topics",
    "Runs every migration that the database has not had, each in a transaction of its own.\n"
    "Safe to run twice, and by several at once. Refuses a database that is newer than this\n"
    "program. The first run makes the roles throughline_analyst, throughline_analyst_pii and\n"
    "throughline_writer, and so needs the right to (CREATEROLE).\n"
    "\n"
    "Then makes the topics events.<department> and handoffs.<department> of every department, and\n"
    "events.throughline, as the settings topic_… say, and looks at those that are there. It never\n"
    "changes or deletes one: what differs is told, with the command that mends it. ERROR is what\n"
    "has events refused or lost, WARN what is slower, or less safe, than configured.\n"
    "\n"
    "  --topics make    the default\n"
    "  --topics check   makes none: what is missing is an error\n"
    "  --topics skip    does not ask the brokers\n"
    "  --wait TIME      how long it waits for the brokers (15s)\n"
    "\n"
    "exit status: 0 all is well, or there are warnings only; 1 the database could not be brought\n"
    "to this version, the brokers do not answer, or a topic has an error\n",
    run,
};
