#include "services/aggregator/relay_record.h"

#include <string.h>

#include "common/event/system_department.h"
#include "common/event/system_events.h"
#include "common/event/template.h"

struct headers {
    struct record_header *items;
    size_t count;
};

static void add(struct headers *headers, const char *name, const char *value)
{
    if (value)
        headers->items[headers->count++] = (struct record_header){span_of(name), span_of(value)};
}

bool relay_is_for_timeline(const char *topic)
{
    return strcmp(topic, SYSTEM_TOPIC) == 0;
}

/* `facts` says that nothing in data is to be folded: what an issue's event reports is no issue
 * opened anew. */
static int add_facts(struct headers *headers, const struct outbox_row *row, struct arena *arena)
{
    const struct event_type *type;
    add(headers, "ce_facts", "");
    if (department_type(system_department(), span_of(row->type), &type, NULL) != 0)
        return 0;
    struct span line = template_expand(type->summary, span_of(row->data), arena, NULL);
    if (!line.ptr)
        return ERR_MEMORY;
    headers->items[headers->count++] = (struct record_header){span_of("ce_summary"), line};
    return 0;
}

int relay_record(const struct outbox_row *row, struct arena *arena,
                 struct record_header headers[RELAY_HEADERS], struct record *record)
{
    struct headers made = {headers, 0};
    int rc = 0;
    add(&made, "ce_specversion", "1.0");
    add(&made, "ce_id", row->event_id);
    add(&made, "ce_source", RELAY_SOURCE);
    add(&made, "ce_type", row->type);
    add(&made, "ce_time", row->time);
    add(&made, "content-type", "application/json");
    add(&made, "ce_customer", row->customer);
    add(&made, "ce_sequence", row->sequence);
    add(&made, "ce_traceparent", row->traceparent);
    if (relay_is_for_timeline(row->topic))
        rc = add_facts(&made, row, arena);
    *record = (struct record){
        .topic = span_of(row->topic),
        .partition = -1,
        .offset = -1,
        .timestamp_ms = -1,
        .key = span_of(row->key),
        .value = span_of(row->data),
        .headers = headers,
        .header_count = made.count,
    };
    return rc;
}
