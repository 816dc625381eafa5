/*
 * What /metrics tells of handoffs. Any thread; without metrics (a command) nothing happens. What a
 * transaction does is noted while it is at work, and counts once it has been committed: each thread
 * has notes of its own, and handoff_metrics_committed follows on the COMMIT of each transaction
 * that handoff_metrics_begin has begun.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFF_METRICS_H
#define SERVICES_AGGREGATOR_HANDOFF_METRICS_H

#include <stdint.h>

#include "services/aggregator/handoff_states.h"

void handoff_metrics_init(void);

void handoff_metrics_begin(void); /* what was noted before and not committed is forgotten */
void handoff_metrics_committed(void);

void handoff_metrics_opened(int64_t count);
void handoff_metrics_changed(int64_t count);
void handoff_metrics_closed(enum handoff_state state); /* one, which was not closed before */
void handoff_metrics_refused(int64_t count);
void handoff_metrics_cut(void); /* one was not opened: they open each other without end */

#endif
