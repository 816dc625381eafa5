/*
 * Counters, gauges and histograms in Prometheus' text format. Made at start, never
 * freed before the end of the process; counting is a few atomic operations from
 * any thread. Names follow Prometheus' rules: prefix throughline_, base units,
 * _total for counters; never a customer in a label.
 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

struct metric;

/* The same name and labels give the same metric. `labels` is `reason="stale"`
 * or NULL; help and type count from the first of a name. Aborts past 2048. */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels, const char *help);

/* Are given microseconds, show seconds. */
struct metric *metric_counter_seconds(const char *name, const char *labels, const char *help);
struct metric *metric_gauge_seconds(const char *name, const char *labels, const char *help);

/* How observations are distributed, in buckets up to 1, 2 and 5 times each power of ten from
 * `least` to `most`, powers of ten themselves (at most METRIC_BUCKETS). The one of seconds is given
 * microseconds, its bounds too. */
#define METRIC_BUCKETS 24
struct metric *metric_histogram(const char *name, const char *labels, const char *help,
                                int64_t least, int64_t most);
struct metric *metric_histogram_seconds(const char *name, const char *labels, const char *help,
                                        int64_t least_us, int64_t most_us);

void metric_add(struct metric *metric, int64_t n);
void metric_set(struct metric *metric, int64_t value);
void metric_observe(struct metric *histogram, int64_t value); /* below 0 counts as 0 */
int64_t metric_value(const struct metric *metric);

/* All metrics, grouped by name. */
void metrics_render(struct buffer *out);

#endif
