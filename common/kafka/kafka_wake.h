/*
 * Wakes librdkafka's fetching. Before 2.2 it sleeps up to a second once its
 * queue is full, however soon the queue is empty again, and has no setting for
 * it (librdkafka #2879): with a queue that is bounded to a few MiB it would
 * idle most of the time. Any request to a partition's leader wakes the thread that
 * fetches from there; so after each half of a queue that was read, one is sent. From
 * 2.2 on there is fetch.queue.backoff.ms, and this does nothing. One thread.
 */
#ifndef COMMON_KAFKA_KAFKA_WAKE_H
#define COMMON_KAFKA_KAFKA_WAKE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#define FETCH_QUEUE_BACKOFF "fetch.queue.backoff.ms"

struct kafka_wake {
    rd_kafka_t *rk;
    rd_kafka_topic_partition_list_t *partitions; /* assigned ones; NULL: none, or nothing to do */
    size_t every;                                /* bytes */
    size_t read;                                 /* bytes since the last time */
};

/* FETCH_QUEUE_BACKOFF is a setting of the librdkafka that runs. */
bool kafka_wake_setting_known(void);

/* After each assignment; `list` NULL after a revocation. */
void kafka_wake_assign(struct kafka_wake *wake, const rd_kafka_topic_partition_list_t *list);

/* For each message that was taken from the queue. */
void kafka_wake_read(struct kafka_wake *wake, size_t bytes);

#endif
