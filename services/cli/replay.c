#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "services/cli/cli.h"
#include "services/cli/replay_plan.h"
#include "services/cli/table.h"
#include "sql.h"

#define LOOK_MS         10000   /* how long the brokers may take to answer */
#define LOCK_TIMEOUT_MS "10000" /* how long a writer's batch is waited for */

struct replay {
    struct cli *cli;
    struct pg *pg;
    struct kafka_admin *kafka;
    struct replay_request request;
    const char *note;
    bool dry_run;
    struct books books;
    struct kafka_cluster cluster;
    struct replay_plan plan;
};

/* 0, or the exit status (told). */
static int look(struct replay *replay)
{
    int rc = books_read_offsets(&replay->books, replay->pg);
    if (rc != 0)
        return cli_query_failed(replay->pg, rc);
    rc = kafka_admin_look(replay->kafka, BOOKS_TOPICS, LOOK_MS, &replay->cluster);
    if (rc != 0)
        return cli_failed("the brokers do not answer: %s", kafka_admin_why(replay->kafka));
    rc = books_join(&replay->books, &replay->cluster);
    return rc == 0 ? 0 : cli_failed("no memory");
}

static int make_plan(struct replay *replay)
{
    struct fault fault = {0};
    int64_t *found = calloc(replay->cluster.count + 1, sizeof *found);
    if (!found)
        return cli_failed("no memory");
    int rc = 0;
    if (replay->request.place == REPLAY_TIME)
        rc = kafka_admin_find_time(replay->kafka, &replay->cluster, replay->request.time_ms,
                                   LOOK_MS, found);
    if (rc != 0) {
        free(found);
        return cli_failed("the brokers do not answer: %s", kafka_admin_why(replay->kafka));
    }
    rc = replay_plan_make(&replay->request, &replay->books, &replay->cluster, found, &replay->plan,
                          &fault);
    free(found);
    if (rc == 0)
        return 0;
    return cli_failed("%s", rc == ERR_INVALID ? fault.detail : error_name(rc));
}

static const struct table_column columns[] = {
    {"topic", false, true},   {"partition", true, false},  {"reads next", true, false},
    {"goes to", true, false}, {"read again", true, false}, {"left out", true, false},
    {NULL, false, false},
};

static int print_table(const struct replay_plan *plan)
{
    struct table table;
    table_init(&table, columns);
    for (size_t i = 0; i < plan->count; i++) {
        const struct replay_step *step = &plan->steps[i];
        const int64_t numbers[] = {step->book->partition, step->book->next, step->to, step->again,
                                   step->left_out};
        table_cell_text(&table, step->book->topic);
        for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++)
            table_cell_int(&table, numbers[n]);
    }
    int rc = table_print(&table);
    table_free(&table);
    return rc == 0 ? 0 : cli_failed("no memory");
}

static void print_json(const struct replay *replay, size_t done)
{
    const struct replay_plan *plan = &replay->plan;
    printf("{\"applied\": %s, \"read_again\": %lld, \"left_out\": %lld, \"partitions\": [",
           !replay->dry_run && done == plan->count ? "true" : "false", (long long)plan->again,
           (long long)plan->left_out);
    for (size_t i = 0; i < plan->count; i++) {
        const struct replay_step *step = &plan->steps[i];
        printf("%s\n  {\"topic\": \"%s\", \"partition\": %d, \"from\": %lld, \"to\": %lld, "
               "\"read_again\": %lld, \"left_out\": %lld, \"applied\": %s}",
               i ? "," : "", step->book->topic, step->book->partition, (long long)step->book->next,
               (long long)step->to, (long long)step->again, (long long)step->left_out,
               i < done ? "true" : "false");
    }
    puts("]}");
}

/* One partition, in a transaction of its own. What it was at by now may differ from the plan, where
 * a writer is at work: the step then says what really happened. */
static int apply_step(struct replay *replay, struct replay_step *step)
{
    char partition[16], to[24];
    snprintf(partition, sizeof partition, "%d", step->book->partition);
    snprintf(to, sizeof to, "%lld", (long long)step->to);
    const char *const params[] = {step->book->topic, partition, to, replay->note, LOCK_TIMEOUT_MS};
    struct pg_result *row;
    int rc = pg_query(replay->pg, SQL_REPLAY_FROM, params, 5, &row);
    if (rc != 0) {
        int status = cli_query_failed(replay->pg, rc);
        (void)cli_failed("partition %s of %s stays where it is%s", partition, step->book->topic,
                         strcmp(pg_sqlstate(replay->pg), "55P03") == 0
                             ? ": a writer does not finish its batch"
                             : "");
        return status;
    }
    int64_t was = pg_int(row, 0, 0);
    pg_result_free(row);
    replay->plan.again -= step->again;
    replay->plan.left_out -= step->left_out;
    step->again = was > step->to ? was - step->to : 0;
    step->left_out = was < step->to ? step->to - was : 0;
    replay->plan.again += step->again;
    replay->plan.left_out += step->left_out;
    return 0;
}

static int refuse_without_note(const struct replay *replay)
{
    return cli_failed("%lld records would be left out for good, and nothing has been changed: say "
                      "why with --note \"…\", or go to an earlier place",
                      (long long)replay->plan.left_out);
}

static void sum_up(const struct replay *replay)
{
    const struct replay_plan *plan = &replay->plan;
    if (plan->count == 0)
        puts("every partition is there already: nothing to do");
    else
        printf("\n%lld records %s again, %lld %s left out\n", (long long)plan->again,
               replay->dry_run ? "would be read" : "are read", (long long)plan->left_out,
               replay->dry_run ? "would be" : "are");
}

static int carry_out(struct replay *replay)
{
    struct replay_plan *plan = &replay->plan;
    bool refused = !replay->dry_run && plan->left_out > 0 && (!replay->note || !*replay->note);
    size_t done = 0;
    int status = 0;
    while (!replay->dry_run && !refused && done < plan->count) {
        status = apply_step(replay, &plan->steps[done]);
        if (status != 0)
            break;
        done++;
    }
    if (replay->cli->json)
        print_json(replay, done);
    else if (plan->count > 0 && print_table(plan) != 0)
        return EXIT_FAILED;
    if (refused)
        return refuse_without_note(replay);
    if (status != 0)
        return status;
    if (!replay->cli->json)
        sum_up(replay);
    return EXIT_OK;
}

static int open_and_run(struct replay *replay)
{
    struct fault fault = {0};
    int status = cli_connect_migrated(replay->cli, &replay->pg);
    if (status != 0)
        return status;
    int rc = kafka_admin_open(replay->cli->config, &replay->kafka, &fault);
    if (rc != 0)
        status = rc == ERR_INVALID ? cli_fault(&fault) : EXIT_FAILED;
    if (status == 0)
        status = look(replay);
    if (status == 0)
        status = make_plan(replay);
    if (status == 0)
        status = carry_out(replay);
    replay_plan_free(&replay->plan);
    kafka_cluster_free(&replay->cluster);
    books_free(&replay->books);
    kafka_admin_close(replay->kafka);
    pg_close(replay->pg);
    return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct replay replay = {.cli = cli, .request.partition = -1};
    struct fault fault = {0};
    const char *from = NULL;
    const struct cli_option choices[] = {{"--from", CLI_TEXT, &from},
                                         {"--topic", CLI_TEXT, &replay.request.topic},
                                         {"--partition", CLI_NUMBER, &replay.request.partition},
                                         {"--stopped", CLI_FLAG, &replay.request.stopped},
                                         {"--note", CLI_TEXT, &replay.note},
                                         {"--dry-run", CLI_FLAG, &replay.dry_run},
                                         {0}};
    int status;
    if (!cli_arguments(cli, argc, argv, choices, NULL, 0, 0, &status))
        return status;
    if (!from)
        return cli_usage(cli, "say where to go on: --from TIME, beginning or an offset");
    if (replay_place_parse(from, clock_wall_us() / 1000, &replay.request, &fault) != 0)
        return cli_usage(cli, "%s", fault.detail);
    if (replay.request.partition >= 0 && !replay.request.topic)
        return cli_usage(cli, "--partition wants --topic");
    if (replay.request.partition > INT32_MAX)
        return cli_usage(cli, "no topic has so many partitions");
    if (replay.request.place == REPLAY_OFFSET && replay.request.partition < 0)
        return cli_usage(cli, "an offset is of one partition: say --topic and --partition");
    books_init(&replay.books);
    return open_and_run(&replay);
}

const struct command command_replay = {
    "replay",
    "--from TIME|beginning|OFFSET [--stopped] [--topic T [--partition N]] [--note TEXT] "
    "[--dry-run]",
    "reads Kafka again from an earlier place, or goes on after records that are lost",
    "Sends the aggregator's reading elsewhere, in all partitions or in those that are named. "
    "Running\n"
    "aggregators go on there by themselves. What is read again does no harm: what is on the\n"
    "timeline is recognised as a duplicate, and rows that were lost come back.\n"
    "\n"
    "  --from beginning   the oldest record that Kafka still has\n"
    "  --from TIME        the first record that was written at or after 2026-01-08T10:12:07Z,\n"
    "                     or so long ago: 2h\n"
    "  --from OFFSET      of one partition: with --topic and --partition\n"
    "  --stopped          only partitions that are stopped: what is next is gone from Kafka, or\n"
    "                     cannot be read\n"
    "  --topic T          only those of one topic, events.sales; --partition N: only that one\n"
    "  --note TEXT        why records are left out for good, which is refused without a reason;\n"
    "                     it is kept, with who decided, in store.replays\n"
    "  --dry-run          only says what would happen\n"
    "\n"
    "Records that are left out count as void in the books, and by themselves as skipped.\n"
    "\n"
    "exit status: 0 done; 1 failed, there is no such partition or offset, or a note is missing\n",
    run,
};
