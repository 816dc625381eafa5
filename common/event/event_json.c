#include "common/event/event_json.h"

#include <stdlib.h>

#include "common/base/hex.h"
#include "common/event/event_text.h"
#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"

/* One event being decoded. */
struct decoding {
    struct arena *arena;
    struct event *event;
    struct fault *fault;
    bool specversion_seen;
    struct span data, data_base64; /* raw JSON values */
};

static int member_fault(struct fault *fault, struct span name, const char *detail)
{
    char quoted[EVENT_TEXT_QUOTE], pointer[2 * EVENT_TEXT_QUOTE] = "";
    json_pointer_append(pointer, sizeof pointer, event_text_quote(name, quoted));
    return fault_set(fault, pointer, "%s", detail);
}

/* CloudEvents' Integer: 32 bits, no fraction, no exponent. */
static bool integer_text(struct span number)
{
    char text[16];
    if (number.len >= sizeof text || memchr(number.ptr, '.', number.len) ||
        memchr(number.ptr, 'e', number.len) || memchr(number.ptr, 'E', number.len))
        return false;
    memcpy(text, number.ptr, number.len);
    text[number.len] = '\0';
    long long value = strtoll(text, NULL, 10);
    return value >= INT32_MIN && value <= INT32_MAX;
}

/* The canonical text of an attribute's JSON value (spec, section 3.2). */
static int attribute_text(struct decoding *d, struct span name, struct span value,
                          struct span *text)
{
    char first = value.ptr[0];
    *text = value;
    if (first == '"')
        return json_scan_text(d->arena, value, text);
    if (event_attribute_is_core(name))
        return member_fault(d->fault, name, "must be a string");
    if (first == 't' || first == 'f')
        return 0;
    if (first == '{' || first == '[')
        return member_fault(d->fault, name,
                            "must be a string, a boolean or a whole number; "
                            "structured values belong in data");
    if (integer_text(value))
        return 0;
    return member_fault(d->fault, name,
                        "must be a whole number of 32 bits; write others as strings");
}

static int decode_member(struct decoding *d, struct span raw_name, struct span value)
{
    struct span name, text;
    int result = json_scan_text(d->arena, raw_name, &name);
    if (result != 0)
        return result;
    if (span_is(name, "data")) {
        d->data = value; /* null too: data: null is data */
        return 0;
    }
    if (value.ptr[0] == 'n')
        return 0;
    if (span_is(name, "data_base64")) {
        d->data_base64 = value;
        return 0;
    }
    result = attribute_text(d, name, value, &text);
    if (result != 0)
        return result;
    return event_set_attribute(d->event, name, text, &d->specversion_seen, d->fault);
}

/* JSON stays as it came; of another media type the string holds the content
 * (JSON format, section 3.1.2). */
static int decode_data(struct decoding *d)
{
    struct event *event = d->event;
    event->data = d->data;
    if (event_media_type_is_json(event->datacontenttype)) {
        event->data_kind = EVENT_DATA_JSON;
        return 0;
    }
    event->data_kind = EVENT_DATA_BINARY;
    int result = json_scan_text(d->arena, d->data, &event->data);
    if (result == ERR_NOT_FOUND)
        return fault_set(d->fault, "/data",
                         "must be a string, since datacontenttype is not a JSON one");
    return result;
}

static int decode_base64(struct decoding *d)
{
    struct event *event = d->event;
    struct span text;
    int result = json_scan_text(d->arena, d->data_base64, &text);
    if (result == ERR_NOT_FOUND)
        return fault_set(d->fault, "/data_base64", "must be a string");
    unsigned char *bytes = result == 0 ? arena_alloc(d->arena, text.len + 1) : NULL;
    if (!bytes)
        return ERR_MEMORY;
    if (base64_decode(text, bytes, text.len, &event->data.len) != 0)
        return fault_set(d->fault, "/data_base64", "must be base64 (RFC 4648)");
    event->data.ptr = (const char *)bytes;
    event->data_kind = EVENT_DATA_BINARY;
    if (!event_media_type_is_json(event->datacontenttype))
        return 0;
    event->data_kind = EVENT_DATA_JSON;
    if (json_scan_check(event->data, d->fault) == 0)
        return 0;
    fault_prefix(d->fault, "/data_base64");
    return ERR_INVALID;
}

int event_from_json(struct span text, struct arena *arena, struct event *event, struct fault *fault)
{
    struct decoding d = {.arena = arena, .event = event, .fault = fault};
    struct span object = event_text_trim(text), name, value;
    *event = (struct event){.data_kind = EVENT_DATA_NONE};
    if (object.len == 0 || object.ptr[0] != '{')
        return fault_set(fault, "", "an event must be a JSON object");
    for (size_t cursor = 0; json_scan_next_member(object, &cursor, &name, &value);) {
        int result = decode_member(&d, name, value);
        if (result != 0)
            return result;
    }
    if (event_check_required(event, d.specversion_seen, fault) != 0)
        return ERR_INVALID;
    if (d.data.ptr && d.data_base64.ptr)
        return fault_set(fault, "/data_base64", "must not stand beside data");
    if (d.data.ptr)
        return decode_data(&d);
    return d.data_base64.ptr ? decode_base64(&d) : 0;
}

static void append_member(struct buffer *out, struct span name, struct span value)
{
    if (!value.ptr)
        return;
    buffer_append_char(out, ',');
    buffer_append_json_string(out, name);
    buffer_append_char(out, ':');
    buffer_append_json_string(out, value);
}

void event_to_json(const struct event *event, struct buffer *out)
{
    buffer_append_text(out, "{\"specversion\":\"1.0\"");
    append_member(out, span_of("id"), event->id);
    append_member(out, span_of("source"), event->source);
    append_member(out, span_of("type"), event->type);
    append_member(out, span_of("time"), event->time);
    append_member(out, span_of("subject"), event->subject);
    append_member(out, span_of("datacontenttype"), event->datacontenttype);
    append_member(out, span_of("dataschema"), event->dataschema);
    for (size_t i = 0; i < event->extension_count; i++)
        append_member(out, event->extensions[i].name, event->extensions[i].value);
    if (event->data_kind == EVENT_DATA_JSON) {
        buffer_append_text(out, ",\"data\":");
        buffer_append_span(out, event->data);
    } else if (event->data_kind == EVENT_DATA_BINARY) {
        buffer_append_text(out, ",\"data_base64\":\"");
        base64_append(out, event->data);
        buffer_append_char(out, '"');
    }
    buffer_append_char(out, '}');
}
