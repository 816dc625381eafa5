/* CloudEvents in HTTP's binary mode: lines of headers, a blank one, the body. */
#include <ctype.h>
#include <stdio.h>

#include "common/base/hex.h"
#include "common/event/event_http.h"
#include "tests/fuzz/kit.h"
#include "tests/fuzz/travel.h"

#define HEADERS_LIMIT 100

static struct span percent_encoded(struct span value)
{
    char *out = arena_alloc(kit_arena(), value.len * 3 + 1);
    expect(out, "there is memory");
    return (struct span){out, (size_t)(percent_write(out, value) - out)};
}

static void add_header(struct record_header *headers, size_t *count, struct span name,
                       struct span value)
{
    char *text = arena_printf(kit_arena(), "ce-%.*s", SPAN_ARGS(name));
    if (value.ptr)
        headers[(*count)++] = (struct record_header){span_of(text), percent_encoded(value)};
}

/* Written as headers again, every byte percent-encoded, it is the same event. */
static void send_again(const struct event *event)
{
    const struct {
        const char *name;
        struct span value;
    } core[] = {{"specversion", span_of("1.0")},
                {"id", event->id},
                {"source", event->source},
                {"type", event->type},
                {"time", event->time},
                {"subject", event->subject},
                {"dataschema", event->dataschema}};
    struct record_header headers[sizeof core / sizeof *core + EVENT_EXTENSIONS_LIMIT + 1];
    struct fault fault = {.detail = ""};
    struct event back;
    size_t count = 0;
    for (size_t i = 0; i < sizeof core / sizeof *core; i++)
        add_header(headers, &count, span_of(core[i].name), core[i].value);
    for (size_t i = 0; i < event->extension_count; i++)
        add_header(headers, &count, event->extensions[i].name, event->extensions[i].value);
    if (event->datacontenttype.ptr)
        headers[count++] = (struct record_header){span_of("Content-Type"), event->datacontenttype};
    expect(event_from_http(headers, count, event->data, kit_arena(), &back, &fault) == 0,
           "an event sent again is an event");
    expect_same_event(event, &back);
    expect(span_equal(event->data, back.data), "data stays byte for byte");
    expect(event->extension_count == back.extension_count, "extensions stay");
}

static void take_event(const struct record_header *headers, size_t count, struct span body)
{
    struct fault fault = {.detail = ""};
    struct event event;
    struct event_facts facts;
    int rc = event_from_http(headers, count, body, kit_arena(), &event, &fault);
    expect_told(rc, &fault);
    if (rc != 0)
        return;
    send_again(&event);
    travel_as_json(&event);
    const struct admission admission = {kit_world()->kinds, kit_department(event.type), KIT_NOW};
    rc = event_admit(&admission, &event, NULL, kit_arena(), &facts, &fault);
    expect_told(rc, &fault);
    if (rc == 0)
        travel_to_timeline(&admission, &event, &facts);
}

/* Without regard to case, and never two modes at once. */
static void judge_content_type(struct span type)
{
    enum event_mode mode, upper;
    struct span copy = kit_copy(type);
    char *letters = arena_alloc(kit_arena(), copy.len + 1);
    expect(letters, "there is memory");
    for (size_t i = 0; i < copy.len; i++)
        letters[i] = (char)toupper((unsigned char)copy.ptr[i]);
    int rc = event_http_mode(copy, &mode);
    expect(rc == event_http_mode((struct span){letters, copy.len}, &upper) && mode == upper,
           "a media type has no case");
    expect(rc == 0 || rc == ERR_NOT_FOUND, "a mode, or none");
    if (rc == 0 && mode != EVENT_MODE_BINARY)
        expect(event_media_type_is_json(copy), "what we read as JSON is a JSON type");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_header headers[HEADERS_LIMIT];
    struct span rest = {(const char *)data, size};
    size_t count = kit_headers(&rest, headers, HEADERS_LIMIT);
    for (size_t i = 0; i < count; i++) {
        if (!headers[i].value.ptr)
            headers[i].value = (struct span){"", 0}; /* HTTP has no header without a value */
        if (span_is_nocase(headers[i].name, "content-type"))
            judge_content_type(headers[i].value);
    }
    take_event(headers, count, kit_copy(rest));
    kit_end();
    return 0;
}
