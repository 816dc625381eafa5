/* What must hold of every event that was let in, whichever way it came. */
#ifndef TESTS_FUZZ_TRAVEL_H
#define TESTS_FUZZ_TRAVEL_H

#include "common/event/event_kafka.h"

/* Aborts unless both are the same event, but for the bytes of data. */
void expect_same_event(const struct event *a, const struct event *b);

/* Written as JSON and read again, it is the same event. */
void travel_as_json(const struct event *event);

/* As a record on Kafka it is read back by the aggregator, the same event with the
 * same facts, as a timeline row that PostgreSQL takes. */
void travel_to_timeline(const struct admission *admission, const struct event *event,
                        const struct event_facts *facts);

/* A batch's row of that event is well-formed. */
void expect_row(const struct record *record, const char *department, const struct event *event,
                const struct event_facts *facts);

#endif
