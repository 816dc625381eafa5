/* Moments: RFC 3339 text ↔ microseconds since 1970-01-01T00:00:00Z. */
#ifndef COMMON_EVENT_EVENT_TIME_H
#define COMMON_EVENT_EVENT_TIME_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"

#define EVENT_TIME_TEXT 32 /* bytes for event_time_format's result */

/* How far ahead of the clock an event may lie (contract: 24 h). */
#define EVENT_TIME_AHEAD_US (INT64_C(24) * 3600 * 1000000)
/* Nothing before 1970: a month of history is a partition, and there is a bound. */
#define EVENT_TIME_EARLIEST_US INT64_C(0)

/* RFC 3339 with any number of fraction digits, cut (not rounded) to
 * microseconds: the one function that does so. 'T' and 'Z' may be lower case; a
 * leap second (only as the last of a month in UTC) counts as the second after
 * it. ERR_INVALID otherwise, and outside the years 1 to 9999 in UTC. */
int event_time_parse(struct span text, int64_t *microseconds) CHECKED;

/* "2026-01-08T10:12:07.672717Z"; the fraction is left out when zero. Years 1 to 9999. */
void event_time_format(int64_t microseconds, char text[EVENT_TIME_TEXT]);

#endif
