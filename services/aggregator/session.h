/*
 * One session of a writer: connect, join the group, take over what is assigned,
 * read and apply batches, until something fails or the program is to end. One thread.
 */
#ifndef SERVICES_AGGREGATOR_SESSION_H
#define SERVICES_AGGREGATOR_SESSION_H

#include "common/kafka/kafka_consumer.h"
#include "services/aggregator/batch_apply.h"
#include "services/aggregator/decode.h"
#include "services/aggregator/rulebook.h"
#include "services/aggregator/writer.h"

#define SESSION_PARTITIONS 1024 /* most partitions of one writer */

struct session {
    const struct writer_setup *setup;
    struct rulebook *rulebook;              /* what batches are judged by; held */
    const struct rulebook *_Atomic follows; /* the same, for others; NULL: no session, which begins
                                               with the one that counts then */
    bool rejoin;                            /* it has other topics than the one before */
    int number;
    const char *_Atomic waits_for; /* static text; NULL: it reads */
    struct decoder decoder;
    struct batch batch;
    struct batch_apply apply; /* its pg is NULL between sessions */
    struct kafka_consumer *consumer;
    struct partition *partitions;
    size_t partition_count;
    bool assigned_once;  /* in this session, perhaps of none: others may have them all */
    size_t last_found;   /* where the last record's partition was */
    int64_t noted_ms;    /* when Kafka was last told of our offsets */
    const char *trouble; /* what the database fails us in, static text; NULL: nothing, so far */
    size_t held_count;   /* partitions that wait for room in quarantine (hold.h) */
    bool full;           /* and there was none when last looked */
    int64_t look_ms;     /* when it is looked at again */
    int64_t counted_ms;  /* when it was last looked at */
    int64_t calm_ms;     /* since when this session has met no trouble */
    int64_t fence_ms;    /* when the fence was last looked at */
    int64_t consumed;    /* records taken from Kafka's client that were not counted yet */
    int64_t oldest_ms;   /* when Kafka got the oldest record of the batch; -1: not known */
};

int session_init(struct session *session, const struct writer_setup *setup, int number) CHECKED;
void session_free(struct session *session);

/* Runs until something fails (its code), or stop is requested, or another rulebook has other topics
 * (0). *worked tells
 * whether at least one batch was applied. */
int session_run(struct session *session, bool *worked) CHECKED;

#endif
