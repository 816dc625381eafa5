#include "common/event/event_http.h"

#include <strings.h>

#include "common/base/hex.h"
#include "common/event/event_text.h"
#include "common/json/json_scan.h"

#define PREFIX "ce-"

static bool starts_with_nocase(struct span s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && strncasecmp(s.ptr, prefix, len) == 0;
}

int event_http_mode(struct span content_type, enum event_mode *mode)
{
    *mode = EVENT_MODE_BATCH;
    if (event_media_type_is(content_type, "application/cloudevents-batch+json"))
        return 0;
    *mode = EVENT_MODE_STRUCTURED;
    if (event_media_type_is(content_type, "application/cloudevents+json"))
        return 0;
    *mode = EVENT_MODE_BINARY;
    return event_media_type_is_event(content_type) ? ERR_NOT_FOUND : 0;
}

/* Resolves double-quoted parts and backslashes in them (RFC 9110, section
 * 5.6.4). ERR_INVALID for a quote that does not end. */
static int unquote(struct arena *arena, struct span value, struct span *out)
{
    *out = value;
    if (value.len == 0 || !memchr(value.ptr, '"', value.len))
        return 0;
    char *text = arena_alloc(arena, value.len);
    if (!text)
        return ERR_MEMORY;
    size_t len = 0;
    bool quoted = false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && value.ptr[i] == '\\' && ++i == value.len)
            return ERR_INVALID;
        text[len++] = value.ptr[i];
    }
    *out = (struct span){text, len};
    return quoted ? ERR_INVALID : 0;
}

static int lower_name(struct arena *arena, struct span name, struct span *out)
{
    char *lower = arena_alloc(arena, name.len + 1);
    if (!lower)
        return ERR_MEMORY;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    *out = (struct span){lower, name.len};
    return 0;
}

static int header_fault(struct fault *fault, struct span name, const char *detail)
{
    char quoted[EVENT_TEXT_QUOTE];
    return fault_set(fault, "", "header ce-%s %s", event_text_quote(name, quoted), detail);
}

static int set_from_header(struct event *event, struct arena *arena,
                           const struct record_header *header, bool *specversion_seen,
                           struct fault *fault)
{
    size_t prefix = sizeof PREFIX - 1;
    struct span name, value;
    if (lower_name(arena, (struct span){header->name.ptr + prefix, header->name.len - prefix},
                   &name) != 0)
        return ERR_MEMORY;
    if (span_is(name, "datacontenttype"))
        return header_fault(fault, name, "must not be sent: Content-Type says it");
    int result = unquote(arena, event_text_trim(header->value), &value);
    if (result == ERR_INVALID)
        return header_fault(fault, name, "has a double quote that does not end");
    if (result == 0)
        result = percent_decode(arena, value, &value);
    if (result == ERR_INVALID)
        return header_fault(fault, name, "has a '%' without two hex digits after it");
    if (result != 0)
        return result;
    if (!value.ptr)
        value.ptr = "";
    return event_set_attribute(event, name, value, specversion_seen, fault);
}

/* An empty body is no data: HTTP cannot tell the two apart. */
static int set_data(struct event *event, struct span body, struct fault *fault)
{
    event->data_kind = EVENT_DATA_NONE;
    if (body.len == 0)
        return 0;
    event->data = body;
    event->data_kind = EVENT_DATA_BINARY;
    if (!event_media_type_is_json(event->datacontenttype))
        return 0;
    event->data_kind = EVENT_DATA_JSON;
    if (json_scan_check(body, fault) == 0)
        return 0;
    fault_prefix(fault, "/data");
    return ERR_INVALID;
}

int event_from_http(const struct record_header *headers, size_t header_count, struct span body,
                    struct arena *arena, struct event *event, struct fault *fault)
{
    bool specversion_seen = false;
    *event = (struct event){.data_kind = EVENT_DATA_NONE};
    for (size_t i = 0; i < header_count; i++) {
        int result = 0;
        if (starts_with_nocase(headers[i].name, PREFIX))
            result = set_from_header(event, arena, &headers[i], &specversion_seen, fault);
        else if (span_is_nocase(headers[i].name, "content-type"))
            result =
                event_set_attribute(event, span_of("datacontenttype"),
                                    event_text_trim(headers[i].value), &specversion_seen, fault);
        if (result != 0)
            return result;
    }
    if (event_check_required(event, specversion_seen, fault) != 0)
        return ERR_INVALID;
    return set_data(event, body, fault);
}
