#include "services/aggregator/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/retry.h"
#include "common/base/stop.h"
#include "services/aggregator/session.h"

struct writer {
    struct session session;
    pthread_t thread;
};

static void *run(void *argument)
{
    struct writer *writer = argument;
    struct retry retry;
    retry_init(&retry, 100, 5000, 0);
    while (!stop_requested()) {
        bool worked = false;
        int rc = session_run(&writer->session, &worked);
        if (worked)
            retry_reset(&retry);
        if (stop_requested())
            break;
        int wait_ms = retry_next_ms(&retry);
        log_warn("A writer begins anew", LOG_INT("writer", writer->session.number),
                 LOG_TEXT("reason", error_name(rc)), LOG_INT("wait_ms", wait_ms));
        stop_wait(wait_ms);
    }
    return NULL;
}

int writer_start(const struct writer_setup *setup, int number, struct writer **out)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return ERR_MEMORY;
    int rc = session_init(&writer->session, setup, number);
    if (rc == 0 && pthread_create(&writer->thread, NULL, run, writer) != 0) {
        log_error("Cannot start a thread");
        rc = ERR_IO;
    }
    if (rc != 0) {
        session_free(&writer->session);
        free(writer);
        return rc;
    }
    *out = writer;
    return 0;
}

const char *writer_waits_for(const struct writer *writer)
{
    return atomic_load(&writer->session.waits_for);
}

int writer_join(struct writer *writer, int64_t deadline)
{
    if (!writer)
        return 0;
    struct timespec until = clock_monotonic_after(deadline - clock_monotonic_ms());
    if (pthread_clockjoin_np(writer->thread, NULL, CLOCK_MONOTONIC, &until) != 0) {
        log_error("A writer did not end in time; its batch is rolled back by the server",
                  LOG_INT("writer", writer->session.number),
                  LOG_TEXT("waits_for", writer_waits_for(writer)));
        return ERR_BUSY;
    }
    session_free(&writer->session);
    free(writer);
    return 0;
}
