#include "services/aggregator/decode.h"

#include <stdio.h>

#include "common/event/fact_checks.h"
#include "common/event/system_department.h"
#include "common/event/system_events.h"
#include "common/json/json_pointer.h"
#include "services/aggregator/facts.h"

/* What one record may take while it is decoded: its texts, some of them several times over. A
 * record that wants more would stop its partition, so the limit is far from what one can want. */
#define SCRATCH_LIMIT (8 * DECODE_BYTES_LIMIT)

#define TOPIC_PREFIX "events."

void decoder_init(struct decoder *decoder, const struct identity_kinds *kinds,
                  const struct vocabulary *vocabulary, const struct handoff_rules *rules)
{
    *decoder = (struct decoder){.kinds = kinds, .vocabulary = vocabulary, .rules = rules};
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

/* Does one of the rules, whose type the event has, open a handoff for it? A customer's first only?
 * Its data is parsed only where nothing else rules that out. */
static int judge_opening(const struct handoff_interest *of, size_t count, const struct event *event,
                         int64_t occurred_at, int64_t now, struct batch_interest *interest)
{
    json_t *data = NULL;
    bool parsed = false;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct handoff_rule *rule = of[i].rule;
        if (of[i].use != HANDOFF_OPENS || now - occurred_at > rule->max_age_ms * 1000)
            continue;
        if ((rule->condition || rule->unless) && !parsed) {
            parsed = true;
            if (event->data_kind == EVENT_DATA_JSON)
                rc = json_read(event->data, &data, NULL, NULL);
            rc = rc == ERR_INVALID ? 0 : rc;
        }
        if (rc == 0 && handoff_rule_wants(rule, occurred_at, now, data)) {
            interest->opens = true;
            interest->opens_first = interest->opens_first || rule->first;
        }
    }
    json_decref(data);
    return rc;
}

int decode_interest(const struct decoder *decoder, const struct event *event,
                    const struct event_facts *facts, int64_t now, struct batch_interest *interest)
{
    size_t count;
    const struct handoff_interest *of = handoff_rules_of(decoder->rules, event->type, &count);
    *interest = (struct batch_interest){.facts = facts_wanted(facts)};
    for (size_t i = 0; i < count; i++)
        interest->closes = interest->closes || of[i].use != HANDOFF_OPENS;
    return judge_opening(of, count, event, facts->occurred_at, now, interest);
}

/* What a department asks or reports of a handoff names no customer: it is about the handoff's. */
static int read_request(const struct admission *admission, struct arena *arena,
                        struct decoded *decoded, struct fault *fault)
{
    decoded->facts = (struct event_facts){.occurred_at = 0};
    decoded->interest = (struct batch_interest){.asked = &decoded->asked};
    int rc = facts_check_time(admission, &decoded->event, &decoded->facts.occurred_at, fault);
    if (rc == 0)
        rc = handoff_asked_read(&decoded->event, arena, &decoded->asked, fault);
    return rc ? rc : handoff_asked_summary(&decoded->asked, arena, &decoded->facts.summary);
}

static int read_event(const struct decoder *decoder, const struct admission *admission,
                      struct arena *arena, struct decoded *decoded, struct fault *fault)
{
    bool complete = false;
    int rc = event_facts_from_extensions(admission, &decoded->event, arena, &decoded->facts,
                                         &complete, fault);
    if (rc == 0 && !complete)
        rc = event_admit(admission, &decoded->event, NULL, arena, &decoded->facts, fault);
    if (rc == 0)
        rc = decode_interest(decoder, &decoded->event, &decoded->facts, admission->now,
                             &decoded->interest);
    return rc;
}

int decode_record(struct decoder *decoder, const struct record *record, int64_t now,
                  struct decoded *decoded, const char **reason, struct fault *fault)
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
    rc = event_from_record(record, arena, &decoded->event, fault);
    if (rc != 0)
        return rc;

    *reason = REASON_INADMISSIBLE;
    struct span name = decode_department(record->topic);
    const struct department *department = span_is(name, SYSTEM_NAME)
                                              ? system_department()
                                              : vocabulary_department(decoder->vocabulary, name);
    decoded->department = department;
    if (!department)
        return fault_set(fault, "", "no department of the configuration has the topic %.*s",
                         SPAN_ARGS(record->topic));
    struct admission admission = {decoder->kinds, department, now};
    bool told = system_event_of(decoded->event.type) == SYSTEM_IS_TOLD;
    if (told && department != system_department()) /* which asks nobody, itself least of all */
        return read_request(&admission, arena, decoded, fault);
    return read_event(decoder, &admission, arena, decoded, fault);
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
    struct decoded decoded;
    const char *reason;
    int rc = decode_record(decoder, record, now, &decoded, &reason, &fault);
    if (rc == 0)
        return batch_add_event(batch, partition, record, decoded.department->name, &decoded.event,
                               &decoded.facts, &decoded.interest, message);
    if (rc != ERR_INVALID)
        return rc;
    if (!has_room(batch))
        return ERR_LIMIT;
    char detail[sizeof fault.pointer + sizeof fault.detail + 4];
    snprintf(detail, sizeof detail, "%s%s%s", fault.pointer, *fault.pointer ? ": " : "",
             fault.detail);
    return batch_add_quarantine(batch, partition, record, reason, detail);
}
