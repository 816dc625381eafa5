#include "services/aggregator/decode.h"

#include <stdio.h>

#include "services/aggregator/facts.h"

/* What one record may take while it is decoded: its texts, some of them several times over. A
 * record that wants more would stop its partition, so the limit is far from what one can want. */
#define SCRATCH_LIMIT (8 * DECODE_BYTES_LIMIT)

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

/* Commas and opening brackets outside strings, and one: as many as there are values, or more. */
static size_t count_values(struct span text)
{
    size_t count = 1;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else
            count += c == ',' || c == '[' || c == '{';
    }
    return count;
}

int decode_check_size(struct span value, struct fault *fault)
{
    if (value.len > DECODE_BYTES_LIMIT)
        return fault_set(fault, "", "is larger than %zu MiB: no intake writes such a record",
                         DECODE_BYTES_LIMIT >> 20);
    if (value.len > DECODE_VALUES_LIMIT && count_values(value) > DECODE_VALUES_LIMIT)
        return fault_set(fault, "", "has more than %zu values: no intake writes such a record",
                         DECODE_VALUES_LIMIT);
    return 0;
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

    *reason = REASON_INADMISSIBLE;
    rc = decode_check_size(record->value, fault);
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

static bool has_room(const struct batch *batch)
{
    return (int64_t)batch->quarantine_count < batch->quarantine_room;
}

/* The record is no event of ours, but its bytes are kept: all of them. */
static int quarantine_many_headers(struct decoder *decoder, struct batch *batch,
                                   struct partition *partition, const struct kafka_message *message)
{
    struct record whole = message->record;
    if (!has_room(batch))
        return ERR_LIMIT;
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
        return batch_add_event(batch, partition, record, department->name, &event, &facts,
                               facts_wanted(&facts), message);
    if (rc != ERR_INVALID)
        return rc;
    if (!has_room(batch))
        return ERR_LIMIT;
    char detail[sizeof fault.pointer + sizeof fault.detail + 4];
    snprintf(detail, sizeof detail, "%s%s%s", fault.pointer, *fault.pointer ? ": " : "",
             fault.detail);
    return batch_add_quarantine(batch, partition, record, reason, detail);
}
