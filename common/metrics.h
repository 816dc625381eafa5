/*
 * Counters and gauges in Prometheus' text format. Made at start, never freed
 * before the end of the process; adding is one atomic operation from any
 * thread. Names follow Prometheus' rules: prefix throughline_, base units,
 * _total for counters; never a customer in a label.
 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include <stdint.h>

#include "common/base/buffer.h"

struct metric;

/* The same name and labels give the same metric. `labels` is `reason="stale"`
 * or NULL; help and type count from the first of a name. Aborts past 512. */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels, const char *help);

void metric_add(struct metric *metric, int64_t n);
void metric_set(struct metric *metric, int64_t value);
int64_t metric_value(const struct metric *metric);

/* All metrics, grouped by name. */
void metrics_render(struct buffer *out);

#endif
