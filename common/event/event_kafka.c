#include "common/event/event_kafka.h"

#include <jansson.h>

#include "common/event/event_json.h"
#include "common/event/event_text.h"
#include "common/event/fact_checks.h"
#include "common/json/json_pointer.h"

#define PREFIX       "ce_"
#define CONTENT_TYPE "content-type"

/* Headers being written; room for all that an event can have. */
struct headers {
    struct record_header *items;
    size_t count;
};

#define HEADERS_OWN (8 + EVENT_FACTS) /* beside the extensions that are others' */

_Static_assert(HEADERS_OWN + EVENT_EXTENSIONS_LIMIT <= RECORD_HEADERS_LIMIT,
               "a record must hold what an event holds");

static void add_header(struct headers *headers, const char *name, struct span value)
{
    if (value.ptr)
        headers->items[headers->count++] = (struct record_header){span_of(name), value};
}

static int add_extensions(struct headers *headers, const struct event *event, struct arena *arena)
{
    for (size_t i = 0; i < event->extension_count; i++) {
        const struct event_attribute *extension = &event->extensions[i];
        if (facts_name(extension->name))
            continue;
        char *name = arena_printf(arena, PREFIX "%.*s", SPAN_ARGS(extension->name));
        if (!name)
            return ERR_MEMORY;
        add_header(headers, name, extension->value);
    }
    return 0;
}

static struct span content_type_of(const struct event *event)
{
    if (event->datacontenttype.ptr || event->data_kind != EVENT_DATA_JSON)
        return event->datacontenttype;
    return span_of("application/json");
}

static int write_key(const struct event_facts *facts, struct arena *arena, struct span *key)
{
    const struct identity *strongest = identities_person(&facts->identities);
    if (!strongest)
        strongest = identities_account(&facts->identities);
    *key = (struct span){NULL, 0};
    if (!strongest)
        return 0;
    *key = identity_key(strongest, arena);
    return key->ptr ? 0 : ERR_MEMORY;
}

int event_to_record(const struct event *event, const struct event_facts *facts, struct arena *arena,
                    struct record *record)
{
    size_t most = HEADERS_OWN + event->extension_count; /* a batch holds thousands of these */
    struct headers headers = {arena_alloc(arena, most * sizeof *headers.items), 0};
    if (!headers.items)
        return ERR_MEMORY;
    add_header(&headers, PREFIX "specversion", span_of("1.0"));
    add_header(&headers, PREFIX "id", event->id);
    add_header(&headers, PREFIX "source", event->source);
    add_header(&headers, PREFIX "type", event->type);
    add_header(&headers, PREFIX "time", event->time);
    add_header(&headers, PREFIX "subject", event->subject);
    add_header(&headers, PREFIX "dataschema", event->dataschema);
    add_header(&headers, CONTENT_TYPE, content_type_of(event));
    add_header(&headers, PREFIX "customer", facts->customer);
    add_header(&headers, PREFIX "owner", facts->owner);
    add_header(&headers, PREFIX "summary", facts->summary);
    add_header(&headers, PREFIX "amount", facts->amount);
    add_header(&headers, PREFIX "currency", facts->currency);
    add_header(&headers, PREFIX "facts", facts->facts.ptr ? facts->facts : span_of(""));
    int result = add_extensions(&headers, event, arena);
    if (result != 0)
        return result;
    record->headers = headers.items;
    record->header_count = headers.count;
    record->value = event->data_kind == EVENT_DATA_NONE ? span_of("") : event->data;
    return write_key(facts, arena, &record->key);
}

static int structured(const struct record *record, struct span content_type, struct arena *arena,
                      struct event *event, struct fault *fault)
{
    if (!event_media_type_is(content_type, "application/cloudevents+json"))
        return fault_set(fault, "",
                         "content-type must be application/cloudevents+json or that of the data: "
                         "Kafka has no batches, and other event formats are not read");
    json_t *tree;
    struct span text;
    int result = json_read(record->value, &tree, &text, fault);
    if (result != 0)
        return result;
    json_decref(tree); /* read for its checks only; data stays as it came */
    return event_from_json(text, arena, event, fault);
}

static int header_fault(struct fault *fault, struct span name, const char *detail)
{
    char quoted[EVENT_TEXT_QUOTE];
    return fault_set(fault, "", "header %s %s", event_text_quote(name, quoted), detail);
}

static int set_from_header(struct event *event, const struct record_header *header,
                           bool *specversion_seen, struct fault *fault)
{
    bool is_content_type = span_is(header->name, CONTENT_TYPE);
    if (!is_content_type && !span_starts_with(header->name, PREFIX))
        return 0;
    if (!header->value.ptr)
        return header_fault(fault, header->name, "has no value");
    size_t prefix = sizeof PREFIX - 1;
    struct span name = {header->name.ptr + prefix, header->name.len - prefix};
    if (is_content_type)
        name = span_of("datacontenttype");
    else if (span_is(name, "datacontenttype"))
        return header_fault(fault, header->name, "must not be sent: content-type says it");
    return event_set_attribute(event, name, header->value, specversion_seen, fault);
}

static int binary(const struct record *record, struct event *event, struct fault *fault)
{
    bool specversion_seen = false;
    for (size_t i = 0; i < record->header_count; i++) {
        int result = set_from_header(event, &record->headers[i], &specversion_seen, fault);
        if (result != 0)
            return result;
    }
    if (event_check_required(event, specversion_seen, fault) != 0)
        return ERR_INVALID;
    if (record->value.len == 0)
        return 0;
    event->data = record->value;
    event->data_kind = EVENT_DATA_BINARY;
    if (!event_media_type_is_json(event->datacontenttype))
        return 0;
    event->data_kind = EVENT_DATA_JSON;
    event->data = json_without_mark(record->value); /* no part of the JSON, and PostgreSQL minds */
    return 0;
}

static bool given_twice(const struct record *record, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < record->header_count; i++)
        count += span_is(record->headers[i].name, name);
    return count > 1;
}

int event_from_record(const struct record *record, struct arena *arena, struct event *event,
                      struct fault *fault)
{
    struct span content_type = record_header_value(record, CONTENT_TYPE);
    *event = (struct event){.data_kind = EVENT_DATA_NONE};
    if (!event_media_type_is_event(content_type))
        return binary(record, event, fault);
    if (given_twice(record, CONTENT_TYPE))
        return fault_set(fault, "", "header content-type is given twice");
    return structured(record, content_type, arena, event, fault);
}
