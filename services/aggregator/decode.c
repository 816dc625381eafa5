#include "services/aggregator/decode.h"

#include <stdio.h>

/* What one record may take while it is decoded: its tree, where it must be parsed. */
#define SCRATCH_LIMIT ((size_t)64 * 1024 * 1024)

#define TOPIC_PREFIX "events."

void decoder_init(struct decoder *decoder, const struct identity_kinds *kinds,
                  const struct vocabulary *vocabulary)
{
    *decoder = (struct decoder){.kinds = kinds, .vocabulary = vocabulary};
    arena_init(&decoder->scratch, SCRATCH_LIMIT);
}

void decoder_free(struct decoder *decoder)
{
    arena_free(&decoder->scratch);
}

struct span decode_department(struct span topic)
{
    size_t prefix = sizeof TOPIC_PREFIX - 1;
    if (!span_starts_with(topic, TOPIC_PREFIX))
        return (struct span){NULL, 0};
    return (struct span){topic.ptr + prefix, topic.len - prefix};
}

/* An intake that could not map a webhook has said why in a header. */
static int check_marked(const struct record *record, const char **reason, struct fault *fault)
{
    struct span marked = record_header_value(record, HEADER_REASON);
    if (!marked.ptr)
        return 0;
    *reason = REASON_UNMAPPED;
    return fault_set(fault, "", "%.*s", SPAN_ARGS(marked));
}

int decode_record(struct decoder *decoder, const struct record *record, int64_t now,
                  const struct department **department, struct event *event,
                  struct event_facts *facts, const char **reason, struct fault *fault)
{
    struct arena *arena = &decoder->scratch;
    arena_reset(arena);
    int rc = check_marked(record, reason, fault);
    if (rc != 0)
        return rc;

    *reason = REASON_NOT_A_CLOUDEVENT;
    rc = event_from_record(record, arena, event, fault);
    if (rc != 0)
        return rc;

    *reason = REASON_INADMISSIBLE;
    *department = vocabulary_department(decoder->vocabulary, decode_department(record->topic));
    if (!*department)
        return fault_set(fault, "", "no department of the configuration has the topic %.*s",
                         SPAN_ARGS(record->topic));
    struct admission admission = {decoder->kinds, *department, now};
    bool complete = false;
    rc = event_facts_from_extensions(&admission, event, arena, facts, &complete, fault);
    if (rc == 0 && !complete)
        rc = event_admit(&admission, event, NULL, arena, facts, fault);
    return rc;
}

/* The record is no event of ours, but its bytes are kept: all of them. */
static int quarantine_many_headers(struct decoder *decoder, struct batch *batch,
                                   struct partition *partition, const struct kafka_message *message)
{
    struct record whole = message->record;
    arena_reset(&decoder->scratch);
    whole.headers = kafka_message_headers(message, &decoder->scratch, &whole.header_count);
    if (!whole.headers)
        return ERR_MEMORY;
    return batch_add_quarantine(batch, partition, &whole, REASON_NOT_A_CLOUDEVENT,
                                RECORD_HEADERS_TOO_MANY);
}

int decode_into_batch(struct decoder *decoder, struct batch *batch, struct partition *partition,
                      struct kafka_message *message, int64_t now)
{
    const struct record *record = &message->record;
    if (message->headers_cut)
        return quarantine_many_headers(decoder, batch, partition, message);
    struct fault fault = {.detail = ""};
    struct event event;
    struct event_facts facts;
    const struct department *department;
    const char *reason;
    int rc = decode_record(decoder, record, now, &department, &event, &facts, &reason, &fault);
    if (rc == 0)
        return batch_add_event(batch, partition, record, department->name, &event, &facts, message);
    if (rc != ERR_INVALID)
        return rc;
    char detail[sizeof fault.pointer + sizeof fault.detail + 4];
    snprintf(detail, sizeof detail, "%s%s%s", fault.pointer, *fault.pointer ? ": " : "",
             fault.detail);
    return batch_add_quarantine(batch, partition, record, reason, detail);
}
