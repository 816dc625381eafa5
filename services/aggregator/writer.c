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

#define LASTING_MS 60000 /* a session that lived so long has not met what fails every time */

/* What passes is tried again soon. What will not pass by itself is tried slowly, and a batch that
 * went through in between, before the one that fails every time, does not make it faster. */
struct pace {
    struct retry passing, lasting;
};

static int next_wait_ms(struct pace *pace, int rc, bool worked, int64_t lived_ms)
{
    bool passes = rc == ERR_BUSY || rc == ERR_CONFLICT;
    if (worked)
        retry_reset(&pace->passing);
    if (lived_ms >= LASTING_MS)
        retry_reset(&pace->lasting);
    return retry_next_ms(passes ? &pace->passing : &pace->lasting);
}

static void *run(void *argument)
{
    struct writer *writer = argument;
    struct pace pace;
    retry_init(&pace.passing, 100, 5000, 0);
    retry_init(&pace.lasting, 1000, 15000, 0);
    while (!stop_requested()) {
        bool worked = false;
        int64_t since = clock_monotonic_ms();
        int rc = session_run(&writer->session, &worked);
        if (stop_requested())
            break;
        if (rc == 0) /* the topics are others now */
            continue;
        int wait_ms = next_wait_ms(&pace, rc, worked, clock_monotonic_ms() - since);
        /* The database's trouble is told once, for all writers. */
        log_write(writer->session.trouble ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
                  "A writer begins anew",
                  LOG_FIELDS(LOG_INT("writer", writer->session.number),
                             LOG_TEXT("reason", error_name(rc)), LOG_INT("wait_ms", wait_ms)));
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

bool writer_follows(const struct writer *writer, const struct rulebook *rulebook)
{
    const struct rulebook *follows = atomic_load(&writer->session.follows);
    return !follows || follows == rulebook;
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
