#include "services/aggregator/hold.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "services/aggregator/quarantine.h"
#include "services/aggregator/stage_metrics.h"

#define LOOK_MS  5000  /* how often a full quarantine is looked at again */
#define COUNT_MS 10000 /* how often one writer counts what waits, for the metric */

static int look_for_room(struct session *session)
{
    int64_t waiting;
    int rc = quarantine_waiting(session->apply.pg, &waiting);
    if (rc != 0)
        return rc;
    session->batch.quarantine_room = session->apply.quarantine_limit - waiting;
    session->counted_ms = clock_monotonic_ms();
    return 0;
}

int hold_begin(struct session *session)
{
    session->held_count = 0;
    session->full = false;
    session->look_ms = 0;
    return look_for_room(session);
}

/* The held partitions, from where the database has come to. NULL without memory. */
static struct kafka_partition *held_list(const struct session *session, size_t *count)
{
    struct kafka_partition *list = calloc(session->held_count + 1, sizeof *list);
    *count = 0;
    for (size_t i = 0; list && i < session->partition_count; i++) {
        const struct partition *p = &session->partitions[i];
        if (!p->held)
            continue;
        snprintf(list[*count].topic, sizeof list[*count].topic, "%s", p->topic);
        list[*count].partition = p->partition;
        list[(*count)++].offset = p->committed;
    }
    return list;
}

void hold_partition(struct session *session, struct partition *partition)
{
    if (partition->held)
        return;
    struct kafka_partition one = {.partition = partition->partition};
    snprintf(one.topic, sizeof one.topic, "%s", partition->topic);
    kafka_consumer_pause(session->consumer, &one, 1, true);
    partition->held = true;
    session->held_count++;
    session->look_ms = 0; /* there may be room by now */
    stage_metrics_held(+1);
}

int hold_batch(struct session *session)
{
    struct batch *batch = &session->batch;
    for (size_t i = 0; batch->refused_count > 0 && i < batch->quarantine_count; i++)
        hold_partition(session, batch->quarantine[i].partition);
    return look_for_room(session);
}

static void tell(struct session *session)
{
    for (size_t i = 0; i < session->partition_count; i++) {
        struct partition *p = &session->partitions[i];
        if (!p->held || p->told)
            continue;
        p->told = true;
        log_error("Quarantine is full: a partition is not read any further until records are "
                  "replayed or discarded",
                  LOG_TEXT("topic", p->topic), LOG_INT("partition", p->partition),
                  LOG_INT("offset", p->committed),
                  LOG_INT("quarantine_limit", session->apply.quarantine_limit));
    }
    session->full = true;
}

static void let_go(struct session *session)
{
    for (size_t i = 0; i < session->partition_count; i++) {
        struct partition *p = &session->partitions[i];
        if (!p->held)
            continue;
        if (p->told)
            log_info("Quarantine has room again: a partition is read on",
                     LOG_TEXT("topic", p->topic), LOG_INT("partition", p->partition),
                     LOG_INT("offset", p->committed));
        p->held = p->told = false;
        p->believed_until = 0; /* after a seek a gap is looked at anew */
        stage_metrics_held(-1);
    }
    session->held_count = 0;
    session->full = false;
}

static int read_on(struct session *session)
{
    size_t count;
    struct kafka_partition *list = held_list(session, &count);
    if (!list) {
        log_error("No memory for the partitions that are read on");
        return ERR_MEMORY;
    }
    kafka_consumer_pause(session->consumer, list, count, false);
    int rc = kafka_consumer_seek(session->consumer, list, count);
    free(list);
    if (rc == 0)
        let_go(session);
    return rc;
}

int hold_look(struct session *session)
{
    int64_t now = clock_monotonic_ms();
    if (session->held_count == 0) {
        bool counts = session->number == 0 && now - session->counted_ms >= COUNT_MS;
        return counts ? look_for_room(session) : 0;
    }
    if (now < session->look_ms)
        return 0;
    session->look_ms = now + LOOK_MS;
    int rc = look_for_room(session);
    if (rc != 0)
        return rc;
    if (session->batch.quarantine_room > 0)
        return read_on(session);
    tell(session);
    return 0;
}

void hold_forget(struct session *session)
{
    size_t count;
    struct kafka_partition *list = session->held_count ? held_list(session, &count) : NULL;
    if (list) /* who gets them back later shall not find them paused */
        kafka_consumer_pause(session->consumer, list, count, false);
    free(list);
    for (size_t i = 0; i < session->partition_count; i++) {
        if (session->partitions[i].held)
            stage_metrics_held(-1);
        session->partitions[i].held = false;
    }
    session->held_count = 0;
    session->full = false;
}
