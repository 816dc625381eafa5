/*
 * What the aggregator that watches counts in the database for /metrics: handoffs that are not
 * closed, what waits in quarantine, whether the books balance. By indexes, a bounded number of
 * rows, and never more than a hundredth of the time. Of the watch's thread.
 */
#ifndef SERVICES_AGGREGATOR_SURVEY_H
#define SERVICES_AGGREGATOR_SURVEY_H

#include "common/event/vocabulary.h"
#include "common/metrics.h"
#include "common/pg/pg.h"

#define SURVEY_TALLIES 1024 /* gauges; what is past them has none */

struct survey {
    struct { /* a gauge, and what it is going to show */
        struct metric *metric;
        int64_t value;
    } tally[SURVEY_TALLIES];
    size_t count;
    struct metric *unconfirmed, *quarantine_oldest;
    int64_t next_ms; /* not before; monotonic clock */
};

/* Makes the metrics, all 0. `topics` ends with NULL. */
void survey_init(struct survey *survey, const struct vocabulary *vocabulary,
                 const char *const *topics);

/* Counts, where it is time to. What fails was reported by pg. */
int survey_look(struct survey *survey, struct pg *pg) CHECKED;

/* Another aggregator watches: its gauges count. All 0. */
void survey_clear(struct survey *survey);

#endif
