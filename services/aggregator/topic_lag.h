/*
 * How far the timeline is behind Kafka, by topic, for /metrics: in records, and in seconds since
 * what was there then has all been read (judgement.h, for each topic by itself: a stopped partition
 * of one does not hide how the others do). Of the watch's thread.
 */
#ifndef SERVICES_AGGREGATOR_TOPIC_LAG_H
#define SERVICES_AGGREGATOR_TOPIC_LAG_H

#include "common/metrics.h"
#include "services/aggregator/judgement.h"

struct topic_lag {
    char *topic;
    struct judgement judgement;
    int64_t began_us; /* the first look since the lease was taken; 0: none yet */
    struct metric *records, *seconds;
};

/* An array with one element for each topic and a last one without; NULL without memory. `topics`
 * ends with NULL. */
struct topic_lag *topic_lag_new(const char *const *topics);
void topic_lag_free(struct topic_lag *lags); /* NULL is fine */

/* What judgement_look is given, which comes afterwards; `cluster` is left as it is. NULL: the
 * brokers do not tell. */
void topic_lag_look(struct topic_lag *lags, int64_t now_us, const struct kafka_cluster *cluster,
                    const struct judgement_position *positions, size_t count);

/* Another aggregator watches: its gauges count. */
void topic_lag_clear(struct topic_lag *lags);

#endif
