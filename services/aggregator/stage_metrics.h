/* The aggregator's metrics: what became of the records. Any thread. */
#ifndef SERVICES_AGGREGATOR_STAGE_METRICS_H
#define SERVICES_AGGREGATOR_STAGE_METRICS_H

#include "services/aggregator/batch.h"

/* Once, before the writers start. */
void stage_metrics_init(int64_t quarantine_limit);
void stage_metrics_batch(const struct books *books, size_t records, int64_t microseconds);
void stage_metrics_stopped(int change); /* partitions whose offset is out of range */
void stage_metrics_held(int change);    /* partitions that wait for room in quarantine */
void stage_metrics_waiting(int64_t records);

/* A record that librdkafka had skipped. */
void stage_metrics_found_again(void);

#endif
