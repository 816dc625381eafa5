/* The aggregator's metrics: what became of the records. Any thread. */
#ifndef SERVICES_AGGREGATOR_STAGE_METRICS_H
#define SERVICES_AGGREGATOR_STAGE_METRICS_H

#include "services/aggregator/batch.h"

void stage_metrics_init(void); /* once, before the writers start */
void stage_metrics_batch(const struct books *books, size_t records, int64_t microseconds);
void stage_metrics_stopped(int change); /* partitions whose offset is out of range */

#endif
