/* What the intake counts. Any thread, after intake_metrics_init. */
#ifndef SERVICES_DEPARTMENT_INTAKE_METRICS_H
#define SERVICES_DEPARTMENT_INTAKE_METRICS_H

#include <stddef.h>

enum intake_result { INTAKE_ACCEPTED, INTAKE_REFUSED, INTAKE_IGNORED, INTAKE_QUARANTINED };

void intake_metrics_init(void); /* before the first request; again is fine */
void intake_count_request(int status);
void intake_count_events(enum intake_result result, size_t n);

#endif
