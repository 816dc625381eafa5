/* The two clocks: monotonic for waits and deadlines, wall for dates. */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_wall_us(void); /* microseconds since 1970-01-01T00:00:00Z */

/* The moment `ms` from now (now, where that is negative) on CLOCK_MONOTONIC, for waits that take
 * one. */
struct timespec clock_monotonic_after(int64_t ms);

#endif
