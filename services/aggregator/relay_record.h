/*
 * A row of store.outbox as a Kafka record: a CloudEvent in binary mode, with the extensions that
 * spare the aggregator opening its data where it is for events.throughline. Pure.
 */
#ifndef SERVICES_AGGREGATOR_RELAY_RECORD_H
#define SERVICES_AGGREGATOR_RELAY_RECORD_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/kafka/record.h"

#define RELAY_SOURCE  "/throughline"
#define RELAY_HEADERS 12

struct outbox_row {
    int64_t id;
    const char *topic, *key, *type, *event_id;
    const char *time;                              /* RFC 3339 */
    const char *customer, *sequence, *traceparent; /* NULL: none */
    const char *data;                              /* JSON */
};

/* Goes to the timeline too, so that its order among others does not matter? */
bool relay_is_for_timeline(const char *topic);

/* Fills `record` and its headers, which point into the row and, for a summary, into the arena.
 * ERR_MEMORY. */
int relay_record(const struct outbox_row *row, struct arena *arena,
                 struct record_header headers[RELAY_HEADERS], struct record *record) CHECKED;

#endif
