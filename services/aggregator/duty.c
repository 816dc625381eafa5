#include "services/aggregator/duty.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/retry.h"
#include "common/base/stop.h"
#include "services/aggregator/database.h"

#define ASK_EVERY_MS 500 /* is the lease free? */

struct duty {
    struct duty_work work;
    const struct config *config;
    struct lease lease; /* its pg is NULL between sessions */
    bool troubled;      /* the database's trouble was told of us */
    pthread_t thread;
};

static void on_trouble(void *context, const struct pg_failure *failure)
{
    struct duty *duty = context;
    duty->troubled = true;
    database_failed(duty->work.number, failure);
}

static void end_trouble(struct duty *duty)
{
    if (duty->troubled)
        database_works(duty->work.number);
    duty->troubled = false;
}

/* Until something fails, or stop is requested. *held: it was ours for a while. */
static int hold_and_work(struct duty *duty, bool *held)
{
    struct lease *lease = &duty->lease;
    while (!stop_requested()) {
        bool taken;
        int rc = lease_take(lease, &taken);
        if (rc != 0)
            return rc;
        end_trouble(duty);
        if (!taken) {
            stop_wait(ASK_EVERY_MS);
            continue;
        }
        *held = true;
        log_info("This aggregator holds a lease", LOG_TEXT("lease", lease->name));
        rc = duty->work.run(duty->work.context, lease);
        lease_give_back(lease);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int session(struct duty *duty, bool *held)
{
    const struct pg_options options = {.report = on_trouble, .context = duty};
    int rc = database_open(duty->config, duty->work.number, &options, &duty->lease.pg);
    if (rc == 0)
        rc = hold_and_work(duty, held);
    pg_close(duty->lease.pg);
    duty->lease.pg = NULL;
    return rc;
}

static void *run(void *argument)
{
    struct duty *duty = argument;
    struct retry retry;
    retry_init(&retry, 100, 5000, 0);
    while (!stop_requested()) {
        bool held = false;
        int rc = session(duty, &held);
        if (held)
            retry_reset(&retry);
        if (stop_requested())
            break;
        int wait_ms = retry_next_ms(&retry);
        log_write(duty->troubled ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
                  "What one aggregator does at a time begins anew",
                  LOG_FIELDS(LOG_TEXT("lease", duty->work.lease),
                             LOG_TEXT("reason", error_name(rc)), LOG_INT("wait_ms", wait_ms)));
        stop_wait(wait_ms);
    }
    return NULL;
}

int duty_start(const struct config *config, const struct duty_work *work, struct duty **out)
{
    struct duty *duty = calloc(1, sizeof *duty);
    if (!duty)
        return ERR_MEMORY;
    duty->work = *work;
    duty->config = config;
    lease_init(&duty->lease, work->lease, config_number(config, "lease"));
    if (pthread_create(&duty->thread, NULL, run, duty) != 0) {
        log_error("Cannot start a thread");
        free(duty);
        return ERR_IO;
    }
    *out = duty;
    return 0;
}

int duty_join(struct duty *duty, int64_t deadline)
{
    if (!duty)
        return 0;
    struct timespec until = clock_monotonic_after(deadline - clock_monotonic_ms());
    if (pthread_clockjoin_np(duty->thread, NULL, CLOCK_MONOTONIC, &until) != 0) {
        log_error("What one aggregator does at a time did not end in time",
                  LOG_TEXT("lease", duty->work.lease));
        return ERR_BUSY;
    }
    free(duty);
    return 0;
}
