#include "services/aggregator/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/event/system_events.h"
#include "services/aggregator/duty.h"
#include "services/aggregator/judgement.h"
#include "services/aggregator/rulebook.h"
#include "services/aggregator/survey.h"
#include "services/aggregator/topic_lag.h"
#include "sql.h"

#define LOOK_MS     3000         /* how long the brokers may take to tell of their partitions */
#define BEHIND_MS   (60 * 1000)  /* judging lags by so much: worth a line */
#define TELL_MS     (600 * 1000) /* and another one after this */
#define ARRAY_LIMIT ((size_t)64 * 1024)

enum kind { OVERDUE, STALE, UNTOLD, KINDS };

struct watch {
    const struct writer_setup *setup;
    struct duty *duty;
    struct rulebook *rulebook; /* held */
    /* Of the thread, while it holds the lease: */
    struct lease *lease;
    struct kafka_admin *admin;
    struct judgement judgement;
    char untold_after[40];
    int64_t told_ms;  /* when it was last said that judging lags; 0: it does not */
    int64_t began_us; /* the first look since the lease was taken; 0: none yet */
    struct metric *raised[KINDS], *lag;
    struct topic_lag *topic_lag;
    struct survey survey;
};

/* As PostgreSQL reads it, and people. */
static void write_interval(int64_t ms, char text[40])
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "day"},
                 {3600000, "hour"},
                 {60000, "minute"},
                 {1000, "second"},
                 {1, "millisecond"}};
    size_t i = 0;
    while (ms % units[i].ms != 0)
        i++;
    int64_t count = ms / units[i].ms;
    snprintf(text, 40, "%" PRId64 " %s%s", count, units[i].name, count == 1 ? "" : "s");
}

static void add_setting(struct buffer *names, struct buffer *values, const char *department,
                        int64_t ms)
{
    char name[80], value[40];
    snprintf(name, sizeof name, "stale_after%s%s", *department ? "/" : "", department);
    write_interval(ms, value);
    pg_array_text(names, span_of(name));
    pg_array_text(values, span_of(value));
}

/* For the view as for ourselves. */
static int write_settings(struct watch *watch)
{
    const struct vocabulary *vocabulary = watch->rulebook->vocabulary;
    struct buffer names, values;
    buffer_init(&names, ARRAY_LIMIT);
    buffer_init(&values, ARRAY_LIMIT);
    add_setting(&names, &values, "", watch->rulebook->stale_after_ms);
    for (size_t i = 0; i < vocabulary->count; i++)
        if (vocabulary->departments[i].stale_after_ms > 0)
            add_setting(&names, &values, vocabulary->departments[i].name,
                        vocabulary->departments[i].stale_after_ms);
    pg_array_end(&names);
    pg_array_end(&values);
    const char *const params[] = {names.data, values.data};
    int rc = names.failed || values.failed
                 ? ERR_MEMORY
                 : pg_query(watch->lease->pg, SQL_WATCH_SETTINGS, params, 2, NULL);
    buffer_free(&names);
    buffer_free(&values);
    return rc;
}

static bool is_subscribed(const struct watch *watch, const char *topic)
{
    for (const char *const *one = watch->rulebook->topics; *one; one++)
        if (strcmp(*one, topic) == 0)
            return true;
    return false;
}

static void leave_subscribed(const struct watch *watch, struct kafka_cluster *cluster)
{
    size_t kept = 0;
    for (size_t i = 0; i < cluster->count; i++)
        if (is_subscribed(watch, cluster->partitions[i].topic))
            cluster->partitions[kept++] = cluster->partitions[i];
    cluster->count = kept;
}

static int ask_now(struct watch *watch, int64_t *now_us)
{
    struct pg_result *row;
    int rc = pg_query_prepared(watch->lease->pg, SQL_WATCH_NOW, NULL, 0, &row);
    if (rc != 0)
        return rc;
    *now_us = pg_int(row, 0, 0);
    pg_result_free(row);
    return 0;
}

/* Once when it begins to last, and once when it is over. */
static void tell_lag(struct watch *watch, int64_t lag_us, const struct kafka_watermarks *behind)
{
    int64_t now = clock_monotonic_ms();
    metric_set(watch->lag, lag_us / 1000000);
    if (lag_us / 1000 < BEHIND_MS) {
        if (watch->told_ms > 0)
            log_info("What is overdue, stale or untold is judged again");
        watch->told_ms = 0;
        return;
    }
    if (watch->told_ms > 0 && now - watch->told_ms < TELL_MS)
        return;
    watch->told_ms = now;
    log_warn("Nothing new is judged overdue, stale or untold until all that Kafka has is on the "
             "timeline",
             LOG_INT("lag_seconds", lag_us / 1000000),
             LOG_TEXT("topic", behind ? behind->topic : ""),
             LOG_INT("partition", behind ? behind->partition : -1),
             LOG_TEXT("error", behind ? "" : kafka_admin_why(watch->admin)));
}

static int compare_positions(struct watch *watch, int64_t now_us, struct kafka_cluster *cluster,
                             const struct kafka_watermarks **behind)
{
    struct pg_result *rows;
    int rc = pg_query_prepared(watch->lease->pg, SQL_WATCH_POSITIONS, NULL, 0, &rows);
    if (rc != 0)
        return rc;
    size_t count = (size_t)pg_rows(rows);
    struct judgement_position *positions = calloc(count + 1, sizeof *positions);
    for (size_t i = 0; i < count && positions; i++)
        positions[i] = (struct judgement_position){
            pg_text(rows, (int)i, 0), (int32_t)pg_int(rows, (int)i, 1), pg_int(rows, (int)i, 2)};
    if (positions) {
        topic_lag_look(watch->topic_lag, now_us, cluster, positions, count);
        judgement_look(&watch->judgement, now_us, cluster, positions, count, behind);
    }
    rc = positions ? 0 : ERR_MEMORY;
    free(positions);
    pg_result_free(rows);
    return rc;
}

/* The moment first, then the ends, then how far they were read: whatever comes in between only
 * makes less be judged. Brokers that do not answer leave things as they are. */
static int judge(struct watch *watch)
{
    int64_t now_us;
    struct kafka_cluster cluster;
    const struct kafka_watermarks *behind = NULL;
    int64_t patience = watch->lease->lease_ms / 3;
    int rc = ask_now(watch, &now_us);
    if (rc != 0)
        return rc;
    rc = kafka_admin_look(watch->admin, "events.", (int)(patience < LOOK_MS ? patience : LOOK_MS),
                          &cluster);
    if (rc == 0) {
        leave_subscribed(watch, &cluster);
        rc = compare_positions(watch, now_us, &cluster, &behind);
        kafka_cluster_free(&cluster);
    } else if (rc == ERR_BUSY) {
        topic_lag_look(watch->topic_lag, now_us, NULL, NULL, 0);
        rc = 0;
    }
    if (!watch->began_us)
        watch->began_us = now_us;
    int64_t since = watch->judgement.until_us  ? watch->judgement.until_us
                    : watch->judgement.kept_us ? watch->judgement.kept_us
                                               : watch->began_us;
    if (rc == 0)
        tell_lag(watch, now_us - since, behind);
    return rc == ERR_STOPPED ? 0 : rc;
}

/* A transaction: the fence, the flags and what is said of them. */
static int raise_kind(struct watch *watch, enum kind kind, const char *sql,
                      const char *const *params, int count)
{
    struct pg_result *row;
    lease_asks(watch->lease);
    int rc =
        lease_answered(watch->lease, pg_query_prepared(watch->lease->pg, sql, params, count, &row));
    if (rc != 0)
        return rc;
    int64_t raised = pg_int(row, 0, 0);
    pg_result_free(row);
    metric_add(watch->raised[kind], raised);
    if (raised > 0)
        log_info("The watch has raised",
                 LOG_TEXT("kind", kind == OVERDUE ? "overdue"
                                  : kind == STALE ? "stale"
                                                  : "untold"),
                 LOG_INT("count", raised));
    return 0;
}

static int raise_all(struct watch *watch)
{
    char until[24], page[16], customers[16], max_age[24];
    const char *ms = watch->lease->ms;
    snprintf(until, sizeof until, "%" PRId64, watch->judgement.until_us);
    snprintf(page, sizeof page, "%d", WATCH_PAGE);
    snprintf(customers, sizeof customers, "%d", WATCH_CUSTOMERS);
    snprintf(max_age, sizeof max_age, "%" PRId64, watch->rulebook->watch_max_age_ms);
    int rc =
        raise_kind(watch, OVERDUE, SQL_WATCH_OVERDUE, (const char *const[]){until, page, ms}, 3);
    if (rc == 0)
        rc = raise_kind(watch, STALE, SQL_WATCH_STALE,
                        (const char *const[]){until, max_age, customers, ms}, 4);
    if (rc == 0)
        rc = raise_kind(watch, UNTOLD, SQL_WATCH_UNTOLD,
                        (const char *const[]){until, max_age, page, ms, watch->untold_after}, 5);
    return rc;
}

/* Deadlocks and the like are undone by the server, and pass. */
static bool passes(const struct watch *watch, int rc)
{
    return rc == ERR_BUSY && !pg_broken(watch->lease->pg) &&
           strncmp(pg_sqlstate(watch->lease->pg), "40", 2) == 0;
}

static int look(struct watch *watch)
{
    int rc = judge(watch);
    if (rc == 0)
        rc = lease_keep(watch->lease);
    if (rc == 0 && watch->judgement.until_us > 0)
        rc = raise_all(watch);
    if (rc == 0)
        rc = survey_look(&watch->survey, watch->lease->pg);
    return passes(watch, rc) ? 0 : rc;
}

static int open_admin(struct watch *watch)
{
    struct fault fault = {.detail = ""};
    int rc = kafka_admin_open(watch->setup->config, &watch->admin, &fault);
    if (rc == ERR_INVALID)
        log_error("The Kafka settings are wrong", LOG_TEXT("pointer", fault.pointer),
                  LOG_TEXT("error", fault.detail));
    return rc;
}

/* Until the next look, the lease being kept. */
static int rest(struct watch *watch)
{
    int64_t step = watch->lease->lease_ms / 4;
    int64_t until = clock_monotonic_ms() + watch->rulebook->watch_every_ms;
    int rc = 0;
    for (int64_t left; rc == 0 && (left = until - clock_monotonic_ms()) > 0;) {
        if (stop_wait((int)(left < step ? left : step)))
            return 0;
        rc = lease_keep(watch->lease);
    }
    return rc;
}

/* What was waited for was of the topics before. */
static int change_topics(struct watch *watch, const struct rulebook *rulebook)
{
    struct topic_lag *lag = topic_lag_new(rulebook->topics);
    if (!lag)
        return ERR_MEMORY;
    topic_lag_clear(watch->topic_lag);
    topic_lag_free(watch->topic_lag);
    watch->topic_lag = lag;
    survey_clear(&watch->survey);
    survey_init(&watch->survey, rulebook->vocabulary, rulebook->topics);
    judgement_free(&watch->judgement);
    watch->judgement = (struct judgement){0};
    watch->began_us = 0;
    return 0;
}

/* Takes over the caller's hold. Views read the settings, too: they are written at the begin. */
static int use_rulebook(struct watch *watch, struct rulebook *rulebook)
{
    bool same = rulebook_same_topics(rulebook, watch->rulebook);
    int rc = same ? 0 : change_topics(watch, rulebook);
    if (rc != 0) {
        rulebook_release(rulebook);
        return rc;
    }
    rulebook_release(watch->rulebook);
    watch->rulebook = rulebook;
    write_interval(rulebook->untold_after_ms, watch->untold_after);
    return write_settings(watch);
}

static int follow_rulebook(struct watch *watch)
{
    struct rulebook *rulebook = rulebook_take(watch->setup->rulebooks);
    if (rulebook != watch->rulebook)
        return use_rulebook(watch, rulebook);
    rulebook_release(rulebook);
    return 0;
}

static int run(void *context, struct lease *lease)
{
    struct watch *watch = context;
    watch->lease = lease;
    watch->judgement = (struct judgement){0};
    watch->told_ms = watch->began_us = 0;
    int rc = use_rulebook(watch, rulebook_take(watch->setup->rulebooks));
    if (rc == 0)
        rc = open_admin(watch);
    while (rc == 0 && !stop_requested()) {
        rc = follow_rulebook(watch);
        if (rc == 0)
            rc = look(watch);
        if (rc == 0)
            rc = rest(watch);
    }
    kafka_admin_close(watch->admin);
    watch->admin = NULL;
    judgement_free(&watch->judgement);
    metric_set(watch->lag, 0);
    topic_lag_clear(watch->topic_lag);
    survey_clear(&watch->survey);
    return rc;
}

static void make_metrics(struct watch *watch)
{
    static const char *const kinds[KINDS] = {"kind=\"overdue\"", "kind=\"stale\"",
                                             "kind=\"untold\""};
    for (int kind = 0; kind < KINDS; kind++)
        watch->raised[kind] =
            metric_counter("throughline_watch_raised_total", kinds[kind],
                           "Handoffs overdue, customers stale and issues untold that were raised.");
    watch->lag =
        metric_gauge("throughline_watch_lag_seconds", NULL,
                     "How far behind it is judged what is overdue, stale or untold; of the "
                     "aggregator that watches.");
    survey_init(&watch->survey, watch->rulebook->vocabulary, watch->rulebook->topics);
}

static void watch_free(struct watch *watch)
{
    topic_lag_free(watch->topic_lag);
    rulebook_release(watch->rulebook);
    free(watch);
}

int watch_start(const struct writer_setup *setup, struct watch **out)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return ERR_MEMORY;
    watch->setup = setup;
    watch->rulebook = rulebook_take(setup->rulebooks);
    make_metrics(watch);
    watch->topic_lag = topic_lag_new(watch->rulebook->topics);
    if (!watch->topic_lag) {
        watch_free(watch);
        return ERR_MEMORY;
    }
    const struct duty_work work = {LEASE_WATCH, DUTY_WATCH, watch, run};
    int rc = duty_start(setup->config, &work, &watch->duty);
    if (rc != 0) {
        watch_free(watch);
        return rc;
    }
    *out = watch;
    return 0;
}

int watch_join(struct watch *watch, int64_t deadline)
{
    if (!watch)
        return 0;
    int rc = duty_join(watch->duty, deadline);
    if (rc == 0)
        watch_free(watch);
    return rc;
}
