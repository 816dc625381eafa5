/*
 * What every Prometheus client tells of its process, under the names that they
 * all use: process_start_time_seconds, process_cpu_seconds_total,
 * process_resident_memory_bytes, process_open_fds, process_max_fds.
 */
#ifndef COMMON_PROCESS_METRICS_H
#define COMMON_PROCESS_METRICS_H

void process_metrics_init(void); /* at start */

/* Looks at /proc; what cannot be seen keeps its last value. Any thread. */
void process_metrics_look(void);

#endif
