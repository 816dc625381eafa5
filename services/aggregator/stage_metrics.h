/* The aggregator's metrics: what became of the records. Any thread. */
#ifndef SERVICES_AGGREGATOR_STAGE_METRICS_H
#define SERVICES_AGGREGATOR_STAGE_METRICS_H

#include "services/aggregator/batch.h"

/* Once, before the writers start. `topics` ends with NULL. */
void stage_metrics_init(int64_t quarantine_limit, const char *const *topics);

/* Others have come; those that have gone keep their gauges. One thread at a time. */
void stage_metrics_topics(const char *const *topics);

/* A batch that was committed: how many records it had, how long that took, and when (ms since 1970)
 * Kafka got the oldest of them; -1: not known. */
struct stage_batch {
    struct books books;
    size_t records;
    int64_t microseconds, oldest_ms;
};
void stage_metrics_batch(const struct stage_batch *batch);

/* Records taken from Kafka's client; and when Kafka got the newest record of a topic that is now on
 * the timeline or in quarantine. */
void stage_metrics_consumed(int64_t records);
void stage_metrics_newest(const char *topic, int64_t timestamp_ms);

void stage_metrics_stopped(int change); /* partitions whose offset is out of range */
void stage_metrics_held(int change);    /* partitions that wait for room in quarantine */
void stage_metrics_waiting(int64_t records);

/* A record that librdkafka had skipped. */
void stage_metrics_found_again(void);

#endif
