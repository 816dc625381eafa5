/*
 * From a Kafka record to a place in the batch: the timeline, or quarantine with
 * the reason. Pure: no I/O. One thread a decoder.
 */
#ifndef SERVICES_AGGREGATOR_DECODE_H
#define SERVICES_AGGREGATOR_DECODE_H

#include "services/aggregator/batch.h"
#include "services/aggregator/handoff_rules.h"

/* What is decoded at most: no intake writes more. Its tree, where a record must be parsed, takes
 * some 130 bytes a value. */
#define DECODE_BYTES_LIMIT  ((size_t)16 * 1024 * 1024)
#define DECODE_VALUES_LIMIT ((size_t)512 * 1024)

struct decoder {
    const struct identity_kinds *kinds;
    const struct vocabulary *vocabulary;
    const struct handoff_rules *rules;
    struct arena scratch; /* of one record; decoder_init */
};

/* A record read as an event. */
struct decoded {
    const struct department *department;
    struct event event;
    struct event_facts facts; /* of a request only occurred_at */
    struct handoff_asked asked;
    struct batch_interest interest; /* may point to `asked` */
};

void decoder_init(struct decoder *decoder, const struct identity_kinds *kinds,
                  const struct vocabulary *vocabulary, const struct handoff_rules *rules);
void decoder_free(struct decoder *decoder);

/* Reads a record as an event of its topic's department. ERR_INVALID with the
 * fault and *reason (REASON_…) says why it must go to quarantine. What was decoded
 * lives in the record and in decoder->scratch until the next call.
 * `now` in microseconds. */
int decode_record(struct decoder *decoder, const struct record *record, int64_t now,
                  struct decoded *decoded, const char **reason, struct fault *fault) CHECKED;

/* Why more of an event is wanted than its row, for events that are no requests. ERR_MEMORY. */
int decode_interest(const struct decoder *decoder, const struct event *event,
                    const struct event_facts *facts, int64_t now,
                    struct batch_interest *interest) CHECKED;

/* Is the record's value small enough to be looked at? ERR_INVALID with the fault. */
int decode_check_size(struct span value, struct fault *fault) CHECKED;

/* decode_record, then into the batch either way. ERR_MEMORY; ERR_LIMIT: it is for quarantine, and
 * the batch has no room there; nothing was added. */
int decode_into_batch(struct decoder *decoder, struct batch *batch, struct partition *partition,
                      struct kafka_message *message, int64_t now) CHECKED;

/* "events.sales" → "sales"; absent for other topics. */
struct span decode_department(struct span topic);

#endif
