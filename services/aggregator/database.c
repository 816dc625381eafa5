#include "services/aggregator/database.h"

#include <pthread.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/metrics.h"
#include "services/aggregator/duty.h"
#include "services/aggregator/schema.h"
#include "services/aggregator/trouble.h"
#include "sql.h"

#define MARGIN_MS 5000 /* the server's own bounds come first where it is alive */
#define STOP_MS   5000 /* of the time that the program has to end */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `trouble` and `connected` */
static struct trouble trouble;
static struct metric *up, *errors[TROUBLE_KINDS];

void database_init(void)
{
    up =
        metric_gauge("throughline_aggregator_database_up", NULL,
                     "1 while PostgreSQL does what the writers ask, 0 while it fails one of them.");
    for (int kind = 0; kind < TROUBLE_KINDS; kind++) {
        char label[40];
        snprintf(label, sizeof label, "kind=\"%s\"", trouble_kind_name((enum trouble_kind)kind));
        errors[kind] = metric_counter("throughline_aggregator_database_errors_total", label,
                                      "What PostgreSQL failed the writers in, by kind.");
    }
}

/* The database must have had every migration that this build knows. More is fine: it was upgraded
 * first, and migrations leave what older builds use in place. */
static int check_schema(struct pg *pg, const struct pg_options *options)
{
    int version;
    int rc = schema_version(pg, &version);
    if (rc != 0 || version >= schema_newest())
        return rc;
    char message[64];
    snprintf(message, sizeof message, "the schema is at version %d of %d", version,
             schema_newest());
    options->report(options->context, &(const struct pg_failure){ERR_IO, "3F000", message,
                                                                 "the schema's version", 0});
    return ERR_IO;
}

int database_bound(struct pg *pg, const struct config *config)
{
    char whole[24], half[24];
    int64_t ms = config_number(config, "database_timeout");
    snprintf(whole, sizeof whole, "%lld", (long long)ms);
    snprintf(half, sizeof half, "%lld", (long long)(ms + 1) / 2);
    pg_set_answer_ms(pg, (int)ms + MARGIN_MS);
    return pg_query(pg, SQL_SESSION_BOUNDS, (const char *const[]){whole, half}, 2, NULL);
}

int database_open(const struct config *config, int number, const struct pg_options *options,
                  struct pg **out)
{
    char name[64];
    if (number < WRITERS_LIMIT)
        snprintf(name, sizeof name, "%s writer %d", config_section(config), number);
    else
        snprintf(name, sizeof name, "%s %s", config_section(config),
                 number == DUTY_RELAY ? LEASE_RELAY : LEASE_WATCH);
    const char *conninfo = config_text(config, "database");
    struct pg_options bounded = *options;
    bounded.stop_ms = STOP_MS;
    int rc = pg_open(conninfo ? conninfo : "", name, &bounded, out);
    if (rc == 0)
        rc = database_bound(*out, config);
    if (rc == 0)
        rc = check_schema(*out, &bounded);
    return rc;
}

static void tell(const struct pg_failure *failure, const char *advice, int64_t lasting_ms,
                 int64_t failures)
{
    const struct log_field fields[] = {
        LOG_TEXT("sqlstate", failure->sqlstate),
        LOG_TEXT("error", failure->message),
        LOG_TEXT("asked", failure->asked),
        LOG_INT("waited_ms", failure->waited_ms),
        LOG_INT("lasting_ms", lasting_ms),
        LOG_INT("failures", failures),
        LOG_TEXT("advice", *advice ? advice : "it passes; tried again"),
        {0, 0, 0},
    };
    if (failure->code == ERR_BUSY)
        log_write(LOG_LEVEL_WARN, "PostgreSQL cannot do this now", fields);
    else
        log_write(LOG_LEVEL_ERROR, "PostgreSQL refuses what the aggregator needs", fields);
}

const char *database_failed(int writer, const struct pg_failure *failure)
{
    int64_t now = clock_monotonic_ms();
    const struct trouble_cause *cause = trouble_cause(failure->sqlstate);
    pthread_mutex_lock(&lock);
    bool is_told = trouble_met(&trouble, writer, failure->sqlstate, now);
    int64_t lasting_ms = now - trouble.since_ms, failures = trouble.failures;
    metric_set(up, 0);
    pthread_mutex_unlock(&lock);
    metric_add(errors[cause->kind], 1);
    if (is_told)
        tell(failure, cause->advice, lasting_ms, failures);
    return cause->missing;
}

void database_works(int writer)
{
    pthread_mutex_lock(&lock);
    bool was_told = trouble_over(&trouble, writer);
    int64_t lasting_ms = clock_monotonic_ms() - trouble.since_ms, failures = trouble.failures;
    if (trouble.writers == 0)
        metric_set(up, 1);
    pthread_mutex_unlock(&lock);
    if (was_told)
        log_info("PostgreSQL works again", LOG_INT("after_ms", lasting_ms),
                 LOG_INT("failures", failures));
}
