/* What deliveries count. Any thread, after delivery_metrics_init. */
#ifndef SERVICES_DEPARTMENT_DELIVERY_METRICS_H
#define SERVICES_DEPARTMENT_DELIVERY_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/department/delivery_queue.h"

void delivery_metrics_init(void); /* before the first delivery; again is fine */
void delivery_count_try(enum delivery_outcome outcome);
void delivery_count_end(bool delivered); /* of a change: taken, or given up */
void delivery_count_passed_over(void);

void delivery_show_waiting(size_t changes, int64_t oldest_s);
void delivery_show_breaker(bool open);

#endif
