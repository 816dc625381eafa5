/* What the intake counts. Any thread, after intake_metrics_init. */
#ifndef SERVICES_DEPARTMENT_INTAKE_METRICS_H
#define SERVICES_DEPARTMENT_INTAKE_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum intake_result { INTAKE_ACCEPTED, INTAKE_REFUSED, INTAKE_IGNORED, INTAKE_QUARANTINED };

void intake_metrics_init(void); /* before the first request; again is fine */
void intake_count_request(int status);

/* Beside that, of a request that was refused: why. `pointer` is that of the first thing that is
 * wrong with an event, NULL where it is not about one. */
void intake_count_refusal(int status, const char *pointer);

/* How long a 202 took, from the last byte of the request. */
void intake_observe_answer(int64_t microseconds);

void intake_count_events(enum intake_result result, size_t n);

#endif
