#include <stdio.h>

#include "common/pg/pg.h"
#include "services/aggregator/schema.h"
#include "services/cli/cli.h"

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

static int run(struct cli *cli, int argc, char **argv)
{
    int status;
    if (!cli_arguments(cli, argc, argv, NULL, NULL, 0, 0, &status))
        return status;
    struct pg *pg;
    status = cli_connect(cli, &pg);
    if (status != 0)
        return status;
    pg_set_answer_ms(pg, PG_LONG_WORK_MS);
    struct outcome outcome = {.json = cli->json};
    int version;
    if (cli->json)
        fputs("{\"applied\": [", stdout);
    int rc = schema_migrate(pg, tell, &outcome, &version);
    if (cli->json)
        printf("], \"version\": %d}\n", version);
    else if (rc == 0 && outcome.applied == 0)
        printf("the database is at version %d already\n", version);
    else if (rc == 0)
        printf("the database is at version %d now\n", version);
    pg_close(pg);
    return rc == 0 ? EXIT_OK : EXIT_FAILED;
}

const struct command command_migrate = {
    "migrate",
    "",
    "bring the database to this version's schema",
    "Runs every migration that the database has not had, each in a transaction of its own.\n"
    "Safe to run twice, and by several at once. Refuses a database that is newer than this\n"
    "program. The first run makes the roles throughline_analyst, throughline_analyst_pii and\n"
    "throughline_writer, and so needs the right to (CREATEROLE).\n"
    "\n"
    "exit status: 0 the database is at this version; 1 it could not be brought there\n",
    run,
};
