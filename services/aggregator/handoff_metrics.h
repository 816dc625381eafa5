/* What /metrics tells of handoffs. Any thread; without metrics (a command) nothing happens. */
#ifndef SERVICES_AGGREGATOR_HANDOFF_METRICS_H
#define SERVICES_AGGREGATOR_HANDOFF_METRICS_H

#include <stdint.h>

void handoff_metrics_init(void);

void handoff_metrics_opened(int64_t count);
void handoff_metrics_changed(int64_t count);
void handoff_metrics_refused(int64_t count);
void handoff_metrics_cut(void); /* one was not opened: they open each other without end */

#endif
