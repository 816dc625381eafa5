#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hex.h"
#include "common/pg/pg.h"
#include "services/cli/quarantine.h"
#include "services/cli/result.h"
#include "sql.h"

#define LIMIT 100000 /* rows of one answer */

static const struct table_column columns[] = {
    {"id", true, false},        {"received (UTC)", false, false}, {"topic", false, false},
    {"partition", true, false}, {"offset", true, false},          {"state", false, false},
    {"reason", false, false},   {"detail", false, true},          {NULL, false, false},
};

static int list(const struct cli *cli, struct pg *pg, const struct quarantine_options *options)
{
    char limit[24];
    snprintf(limit, sizeof limit, "%lld", (long long)options->limit);
    const char *params[] = {options->state, options->reason, limit};
    struct pg_result *rows, *counts;
    int rc = pg_query(pg, SQL_QUARANTINE_LIST, params, 3, &rows);
    if (rc != 0)
        return cli_query_failed(pg, rc);
    int status = cli->json ? result_print_json(rows) : result_print_table(rows, columns);
    int shown = pg_rows(rows);
    pg_result_free(rows);
    if (status != EXIT_OK || cli->json)
        return status;
    rc = pg_query(pg, SQL_QUARANTINE_COUNT, params, 2, &counts);
    if (rc != 0)
        return cli_query_failed(pg, rc);
    bool all = strcmp(options->state, "all") == 0;
    printf("\n%s %s", pg_text(counts, 0, 0), all ? "records" : options->state);
    if (shown < pg_int(counts, 0, 0))
        printf(", the first %d are shown; --limit shows more", shown);
    putchar('\n');
    pg_result_free(counts);
    return EXIT_OK;
}

static int discard(const struct cli *cli, struct pg *pg, const char *id, const char *note)
{
    struct pg_result *result;
    int rc = pg_query(pg, SQL_QUARANTINE_DISCARD, (const char *const[]){id, note}, 2, &result);
    if (rc != 0)
        return cli_query_failed(pg, rc);
    int affected = pg_affected(result);
    pg_result_free(result);
    if (affected == 1) {
        if (cli->json)
            printf("{\"quarantine_id\": %s, \"state\": \"discarded\"}\n", id);
        else
            printf("%s is discarded; it stays in quarantine with your note\n", id);
        return EXIT_OK;
    }
    rc = pg_query(pg, SQL_QUARANTINE_STATE, &id, 1, &result);
    if (rc != 0)
        return cli_query_failed(pg, rc);
    int status = pg_rows(result) == 0
                     ? cli_failed("there is no record %s in quarantine", id)
                     : cli_failed("%s does not wait any more: it is %s", id, pg_text(result, 0, 0));
    pg_result_free(result);
    return status;
}

static bool is_id(const char *word)
{
    size_t digits = word ? strspn(word, "0123456789") : 0;
    return digits > 0 && digits <= 18 && !word[digits];
}

static bool is_state(const char *word)
{
    return strcmp(word, "waiting") == 0 || strcmp(word, "replayed") == 0 ||
           strcmp(word, "discarded") == 0 || strcmp(word, "all") == 0;
}

/* EXIT_OK when the words make sense together. */
static int check_usage(const struct cli *cli, const char *action, const char *id,
                       const struct quarantine_options *options)
{
    if (strcmp(action, "list") == 0)
        return id ? cli_usage(cli, "list takes no id: see show") : EXIT_OK;
    bool replay = strcmp(action, "replay") == 0;
    if (!replay && strcmp(action, "show") != 0 && strcmp(action, "discard") != 0)
        return cli_usage(cli, "quarantine can list, show, replay or discard, not \"%s\"", action);
    if (replay && (id != NULL) + options->all + (options->reason != NULL) != 1)
        return cli_usage(cli, "replay wants an id, --all or --reason");
    if ((!replay || id) && !is_id(id))
        return cli_usage(cli, "%s wants the record's id: see quarantine list", action);
    if (strcmp(action, "discard") == 0 && (!options->note || !*options->note))
        return cli_usage(cli, "say why: --note \"…\"");
    return EXIT_OK;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct quarantine_options options = {.limit = 100, .state = "waiting"};
    const struct cli_option choices[] = {
        {"--reason", CLI_TEXT, &options.reason}, {"--state", CLI_TEXT, &options.state},
        {"--note", CLI_TEXT, &options.note},     {"--all", CLI_FLAG, &options.all},
        {"--limit", CLI_NUMBER, &options.limit}, {0}};
    const char *words[2];
    int status;
    if (!cli_arguments(cli, argc, argv, choices, words, 1, 2, &status))
        return status;
    const char *action = words[0], *id = words[1];
    if (!is_state(options.state))
        return cli_usage(cli, "--state wants waiting, replayed, discarded or all");
    if (options.limit < 1 || options.limit > LIMIT)
        return cli_usage(cli, "--limit wants 1 to %d", LIMIT);
    status = check_usage(cli, action, id, &options);
    struct pg *pg = NULL;
    if (status == EXIT_OK)
        status = cli_connect_migrated(cli, &pg);
    if (status != EXIT_OK)
        return status;
    if (strcmp(action, "list") == 0)
        status = list(cli, pg, &options);
    else if (strcmp(action, "show") == 0)
        status = quarantine_show(cli, pg, id);
    else if (strcmp(action, "discard") == 0)
        status = discard(cli, pg, id, options.note);
    else
        status = quarantine_replay_run(cli, pg, id, &options);
    pg_close(pg);
    return status;
}

const struct command command_quarantine = {
    "quarantine",
    "list | show ID | replay ID|--all|--reason R | discard ID --note TEXT",
    "records that could not go on the timeline",
    "A record that cannot go on the timeline waits here, with every byte and its reason, until\n"
    "somebody decides.\n"
    "\n"
    "  list                 what waits; --reason R; --state waiting|replayed|discarded|all;\n"
    "                       --limit N (100 unless told)\n"
    "  show ID              one record, its headers and its bytes\n"
    "  replay ID            reads it again, after the configuration was mended\n"
    "  replay --all         every one that waits; --reason R: those of one reason\n"
    "  discard ID --note T  decides that it does not go on the timeline; it stays, with the note\n"
    "\n"
    "exit status: 0 done; 1 failed, there is no such record, or a replayed one is still refused\n",
    run,
};
