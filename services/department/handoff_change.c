#include "services/department/handoff_change.h"

#include <stdlib.h>

#include "common/base/hex.h"
#include "common/event/event_json.h"
#include "common/event/event_kafka.h"
#include "common/event/system_events.h"
#include "common/event/trace_context.h"
#include "common/json/json_pointer.h"

/* Producers and topics are set for records of 2 MiB; attributes may be larger as JSON than they
 * are. */
#define DATA_LIMIT    (2 * 1024 * 1024)
#define VALUE_LIMIT   (2 * DATA_LIMIT)
#define BODY_LIMIT    (8 * 1024 * 1024)
#define SCRATCH_LIMIT (16 * 1024 * 1024)
#define DIGITS_LIMIT  18 /* of a sequence, so that it fits */

/* It becomes a header's value, where nothing but printable ASCII is safe. */
static bool goes_into_a_header(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return text.len > 0;
}

static int read_sequence(const struct event *event, int64_t *sequence, struct fault *fault)
{
    struct span text = event_extension(event, "sequence");
    *sequence = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || text.len > DIGITS_LIMIT)
            return fault_set(fault, "/sequence", "is no number");
        *sequence = *sequence * 10 + (text.ptr[i] - '0');
    }
    if (*sequence > 0 || span_is(event->type, TYPE_HANDOFF_REFUSED))
        return 0;
    return fault_set(fault, "/sequence", "is missing");
}

static bool is_change(struct span type)
{
    return span_is(type, TYPE_HANDOFF_OPENED) || span_is(type, TYPE_HANDOFF_UPDATED) ||
           span_is(type, TYPE_HANDOFF_OVERDUE) || span_is(type, TYPE_HANDOFF_CLOSED) ||
           span_is(type, TYPE_HANDOFF_REFUSED);
}

/* What is not JSON here would not be JSON at the receiver either. */
static int check_data(const struct event *event, struct fault *fault)
{
    json_t *data;
    if (event->data_kind != EVENT_DATA_JSON)
        return fault_set(fault, "/data", "is missing, or no JSON");
    if (event->data.len > DATA_LIMIT)
        return fault_set(fault, "/data", "has more than %d bytes", DATA_LIMIT);
    int rc = json_read(event->data, &data, NULL, fault);
    if (rc == 0)
        json_decref(data);
    return rc;
}

static int check_event(const struct event *event, struct fault *fault)
{
    if (!is_change(event->type))
        return fault_set(fault, "/type", "is none that a department is told");
    if (!goes_into_a_header(event->id))
        return fault_set(fault, "/id", "has characters that no header can carry");
    return check_data(event, fault);
}

static char *copy_text(struct span text)
{
    return text.ptr ? strndup(text.ptr, text.len) : NULL;
}

static int fill(struct handoff_change *change, const struct event *event)
{
    struct span trace = event_extension(event, TRACE_PARENT);
    struct buffer body;
    buffer_init(&body, BODY_LIMIT);
    event_to_json(event, &body);
    change->event_id = copy_text(event->id);
    change->type = copy_text(event->type);
    change->traceparent = copy_text(trace);
    change->opened = span_is(event->type, TYPE_HANDOFF_OPENED);
    char *fitting = body.failed ? NULL : realloc(body.data, body.len + 1); /* many may wait */
    change->body = fitting ? fitting : body.data;
    change->body_len = body.len;
    bool whole = !body.failed && body.data && change->event_id && change->type &&
                 (!trace.ptr || change->traceparent);
    return whole ? 0 : ERR_MEMORY;
}

static int read_event(const struct record *record, struct arena *arena,
                      struct handoff_change *change, struct fault *fault)
{
    struct event event;
    int rc = event_from_record(record, arena, &event, fault);
    if (rc == 0)
        rc = check_event(&event, fault);
    if (rc == 0)
        trace_event(&event, (struct span){NULL, 0});
    if (rc == 0)
        rc = read_sequence(&event, &change->sequence, fault);
    return rc == 0 ? fill(change, &event) : rc;
}

int handoff_change_read(const struct record *record, struct handoff_change **out,
                        struct fault *fault)
{
    struct arena arena;
    /* However it is written: no change is so large, and it must not wait for memory for ever. */
    if (record->value.len > VALUE_LIMIT)
        return fault_set(fault, "", "has more than %d bytes", VALUE_LIMIT);
    struct handoff_change *change = calloc(1, sizeof *change);
    if (!change)
        return ERR_MEMORY;
    arena_init(&arena, SCRATCH_LIMIT);
    change->written_ms = record->timestamp_ms;
    struct event_uid handoff;
    int rc = event_uid_parse(record->key, &handoff);
    if (rc != 0) {
        rc = fault_set(fault, "", "the record's key is no handoff id");
    } else {
        event_uid_text(&handoff, change->handoff_id);
        rc = read_event(record, &arena, change, fault);
    }
    arena_free(&arena);
    if (rc != 0) {
        handoff_change_free(change);
        return rc;
    }
    *out = change;
    return 0;
}

void handoff_change_free(struct handoff_change *change)
{
    if (!change)
        return;
    free(change->event_id);
    free(change->type);
    free(change->traceparent);
    free(change->body);
    free(change);
}

size_t handoff_change_size(const struct handoff_change *change)
{
    return sizeof *change + strlen(change->event_id) + strlen(change->type) + change->body_len;
}
