#include <stdio.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/base/retry.h"
#include "common/base/stop.h"
#include "common/pg/pg.h"
#include "services/cli/progress.h"
#include "services/cli/quarantine.h"
#include "services/cli/quarantine_replay.h"
#include "services/cli/text.h"
#include "sql.h"

#define TRIES 8 /* of one record, while the database is busy */

struct run {
    bool json;
    struct quarantine_replay *replay;
    struct progress progress;
    int64_t on_timeline, duplicates, ignored, refused, gone;
    bool first; /* nothing has been printed in the list of refusals */
};

/* Those that are still refused are told one by one, as they come. */
static void tell_refused(struct run *run, int64_t id, const struct fault *fault)
{
    struct buffer line;
    buffer_init(&line, 16384);
    if (run->json) {
        buffer_printf(&line, "%s{\"quarantine_id\": %lld, \"pointer\": ", run->first ? "" : ",\n  ",
                      (long long)id);
        text_append_json(&line, span_of(fault->pointer));
        buffer_append_text(&line, ", \"detail\": ");
        text_append_json(&line, span_of(fault->detail));
        buffer_append_text(&line, "}");
    } else {
        progress_clear(&run->progress);
        buffer_printf(&line, "%lld still cannot go on the timeline: ", (long long)id);
        text_append(&line, span_of(fault->pointer), -1);
        buffer_append_text(&line, *fault->pointer ? ": " : "");
        text_append(&line, span_of(fault->detail), -1);
        buffer_append_char(&line, '\n');
    }
    fputs(line.data ? line.data : "", stdout);
    run->first = false;
    buffer_free(&line);
}

/* 0: decided, one way or the other. */
static int replay_one(struct run *run, struct pg *pg, int64_t id)
{
    struct retry retry;
    struct fault fault = {0};
    enum replay_outcome outcome;
    int rc, wait;
    retry_init(&retry, 50, 2000, TRIES);
    while ((rc = quarantine_replay_one(run->replay, id, &outcome, &fault)) == ERR_BUSY &&
           !pg_broken(pg) && (wait = retry_next_ms(&retry)) >= 0)
        if (stop_wait(wait))
            return ERR_STOPPED;
    if (rc == ERR_INVALID) {
        run->refused++;
        tell_refused(run, id, &fault);
        return 0;
    }
    if (rc == ERR_NOT_FOUND || rc == ERR_CONFLICT) {
        run->gone++;
        return 0;
    }
    if (rc == 0) {
        run->on_timeline += outcome == REPLAY_ON_TIMELINE;
        run->duplicates += outcome == REPLAY_DUPLICATE;
        run->ignored += outcome == REPLAY_IGNORED;
    }
    return rc;
}

/* Replays one result's ids; *last is the id that was reached. */
static int replay_page(struct run *run, struct pg *pg, const struct pg_result *ids, int64_t *last)
{
    for (int row = 0; row < pg_rows(ids); row++) {
        if (stop_requested())
            return ERR_STOPPED;
        *last = pg_int(ids, row, 0);
        int rc = replay_one(run, pg, *last);
        if (rc != 0)
            return rc;
        int64_t done = run->on_timeline + run->duplicates + run->ignored + run->refused + run->gone;
        progress_show(&run->progress, done, done, NULL);
    }
    return 0;
}

/* Every record that waits now; what comes meanwhile is left for the next time. */
static int replay_waiting(struct run *run, struct pg *pg, const char *reason)
{
    struct pg_result *result;
    int rc = pg_query(pg, SQL_QUARANTINE_WAITING_RANGE, &reason, 1, &result);
    if (rc != 0)
        return rc;
    progress_begin(&run->progress, !run->json, pg_int(result, 0, 0));
    int64_t newest = pg_int(result, 0, 1), last = 0;
    pg_result_free(result);
    int rows;
    do {
        char from[24], to[24];
        snprintf(from, sizeof from, "%lld", (long long)last);
        snprintf(to, sizeof to, "%lld", (long long)newest);
        rc = pg_query(pg, SQL_QUARANTINE_WAITING_NEXT, (const char *const[]){reason, from, to}, 3,
                      &result);
        if (rc != 0)
            break;
        rows = pg_rows(result);
        rc = replay_page(run, pg, result, &last);
        pg_result_free(result);
    } while (rc == 0 && rows > 0);
    progress_end(&run->progress);
    return rc;
}

static int sum_up(const struct run *run, const char *id, int rc)
{
    if (run->json)
        printf("], \"on_timeline\": %lld, \"duplicates\": %lld, \"ignored\": %lld, "
               "\"still_refused\": %lld}\n",
               (long long)run->on_timeline, (long long)run->duplicates, (long long)run->ignored,
               (long long)run->refused);
    else if (!id || run->refused + run->gone == 0)
        printf("%lld on the timeline, %lld duplicates, %lld ignored by today's mapping, "
               "%lld still refused\n",
               (long long)run->on_timeline, (long long)run->duplicates, (long long)run->ignored,
               (long long)run->refused);
    if (rc != 0)
        return cli_failed("the replay ended early: %s", error_name(rc));
    if (id && run->gone)
        return cli_failed("no record %s waits in quarantine", id);
    return run->refused ? EXIT_FAILED : EXIT_OK;
}

int quarantine_replay_run(const struct cli *cli, struct pg *pg, const char *id,
                          const struct quarantine_options *options)
{
    struct run run = {.json = cli->json, .first = true};
    struct fault fault = {0};
    int rc = quarantine_replay_new(cli->config, pg, &run.replay, &fault);
    if (rc != 0)
        return rc == ERR_INVALID ? cli_fault(&fault) : cli_failed("%s", error_name(rc));
    if (cli->json)
        fputs("{\"refused\": [", stdout);
    rc = id ? replay_one(&run, pg, strtoll(id, NULL, 10))
            : replay_waiting(&run, pg, options->reason);
    quarantine_replay_free(run.replay);
    return sum_up(&run, id, rc);
}
