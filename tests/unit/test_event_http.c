/* CloudEvents' HTTP binding: modes, header values, data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/event/event_http.h"

static struct arena arena;

static void assert_text(struct span actual, const char *expected)
{
    if (!span_is(actual, expected) || !actual.ptr)
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARGS(actual), expected);
}

static void tells_modes_apart(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int result;
        enum event_mode mode;
    } rows[] = {
        {NULL, 0, EVENT_MODE_BINARY},
        {"application/json", 0, EVENT_MODE_BINARY},
        {"text/plain; a=application/cloudevents+json", 0, EVENT_MODE_BINARY},
        {"application/cloudevents+json", 0, EVENT_MODE_STRUCTURED},
        {"Application/CloudEvents+JSON; charset=utf-8", 0, EVENT_MODE_STRUCTURED},
        {"application/cloudevents-batch+json", 0, EVENT_MODE_BATCH},
        {"APPLICATION/CLOUDEVENTS-BATCH+JSON ;charset=UTF-8", 0, EVENT_MODE_BATCH},
        {"application/cloudevents", ERR_NOT_FOUND, 0},
        {"application/cloudevents+avro", ERR_NOT_FOUND, 0},
        {" application/CloudEvents-batch", ERR_NOT_FOUND, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum event_mode mode;
        assert_int_equal(event_http_mode(span_of(rows[i].type), &mode), rows[i].result);
        if (rows[i].result == 0)
            assert_int_equal(mode, rows[i].mode);
    }
}

/* The required headers, then one more. */
static int decode(const char *name, const char *value, const char *body, struct event *event,
                  struct fault *fault)
{
    struct record_header headers[8] = {
        {span_of("Host"), span_of("example.com")},
        {span_of("ce-specversion"), span_of("1.0")},
        {span_of("CE-ID"), span_of("1")},
        {span_of("Ce-Source"), span_of("/crm")},
        {span_of("ce-type"), span_of("sales.deal.won")},
        {span_of("ce-time"), span_of(" 2026-01-08T10:12:07Z\t")},
    };
    size_t count = 6;
    if (name)
        headers[count++] = (struct record_header){span_of(name), span_of(value)};
    *fault = (struct fault){.detail = ""};
    return event_from_http(headers, count, span_of(body), &arena, event, fault);
}

/* Values of ce-subject and what they stand for; NULL: refused. */
static const struct {
    const char *sent, *meant;
} values[] = {
    {"plain", "plain"},
    {"  spaced out ", "spaced out"},
    {"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro \xE2\x82\xAC \xF0\x9F\x98\x80"},
    {"a+b", "a+b"},
    {"100%25", "100%"},
    {"%2541", "%41"},
    {"%22quoted%22", "\"quoted\""},
    {"\"quoted value\"", "quoted value"},
    {"\"a\\\"b\\\\c\"", "a\"b\\c"},
    {"\"%C3%A4\"", "\xC3\xA4"},
    {"a \"b c\" d", "a b c d"},
    {"a\\b", "a\\b"},
    {"\xC3\xA4", "\xC3\xA4"},
    {"", NULL},
    {"\"\"", NULL},
    {"\"open", NULL},
    {"\"open\\", NULL},
    {"50%", NULL},
    {"%4", NULL},
    {"%XY", NULL},
    {"%C0%A0", NULL},
    {"%FF", NULL},
    {"%ED%A0%80", NULL},
    {"a%00b", NULL},
    {"a%0Ab", NULL},
    {"\xFF", NULL},
};

static void decodes_header_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct event event;
        struct fault fault;
        print_message("%s\n", values[i].sent);
        int result = decode("ce-subject", values[i].sent, "", &event, &fault);
        assert_int_equal(result, values[i].meant ? 0 : ERR_INVALID);
        if (values[i].meant)
            assert_text(event.subject, values[i].meant);
    }
}

static void takes_header_names_in_any_case(void **state)
{
    (void)state;
    struct event event;
    struct fault fault;
    assert_int_equal(decode("CE-TraceParent",
                            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", &event,
                            &fault),
                     0);
    assert_text(event.id, "1");
    assert_text(event.source, "/crm");
    assert_text(event.time, "2026-01-08T10:12:07Z");
    assert_int_equal(event.extension_count, 1);
    assert_text(event.extensions[0].name, "traceparent");
    assert_int_equal(event.data_kind, EVENT_DATA_NONE);
}

/* Another header, a body: data, or the pointer of the fault and a piece of its detail. */
static const struct {
    const char *name, *value, *body;
    int result;
    enum event_data kind;
    const char *pointer, *detail;
} rows[] = {
    {NULL, NULL, "{\"a\": 1}", 0, EVENT_DATA_JSON, NULL, NULL},
    {"Content-Type", "application/json; charset=utf-8", " [1] ", 0, EVENT_DATA_JSON, NULL, NULL},
    {"Content-Type", "text/plain", "{\"a\":", 0, EVENT_DATA_BINARY, NULL, NULL},
    {"Content-Type", "application/json", "", 0, EVENT_DATA_NONE, NULL, NULL},
    {"Content-Type", "application/json", "{\"a\":", ERR_INVALID, 0, "/data", "byte"},
    {NULL, NULL, "a=b", ERR_INVALID, 0, "/data", "byte"},
    {"Content-Type", "json", "{}", ERR_INVALID, 0, "/datacontenttype", "media type"},
    {"ce-datacontenttype", "application/json", "{}", ERR_INVALID, 0, "", "Content-Type says it"},
    {"CE-DataContentType", "application/json", "{}", ERR_INVALID, 0, "", "Content-Type says it"},
    {"ce-id", "2", "{}", ERR_INVALID, 0, "/id", "twice"},
    {"ce-specversion", "1.0", "{}", ERR_INVALID, 0, "/specversion", "twice"},
    {"ce-data", "x", "{}", ERR_INVALID, 0, "/data", "reserved"},
    {"ce-", "x", "{}", ERR_INVALID, 0, "", "attribute name"},
    {"ce-my-name", "x", "{}", ERR_INVALID, 0, "", "attribute name \"my-name\""},
    {"ce-\xFF", "x", "{}", ERR_INVALID, 0, "", "attribute name \"?\""},
};

static void reads_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct event event;
        struct fault fault;
        print_message("%s: %s\n", rows[i].name ? rows[i].name : "-", rows[i].body);
        int result = decode(rows[i].name, rows[i].value, rows[i].body, &event, &fault);
        assert_int_equal(result, rows[i].result);
        if (result != 0) {
            assert_string_equal(fault.pointer, rows[i].pointer);
            if (!strstr(fault.detail, rows[i].detail))
                fail_msg("%s", fault.detail);
            continue;
        }
        assert_int_equal(event.data_kind, rows[i].kind);
        if (rows[i].kind != EVENT_DATA_NONE)
            assert_text(event.data, rows[i].body);
    }
}

static void wants_the_required_attributes(void **state)
{
    (void)state;
    static const char *const names[] = {"specversion", "id", "source", "type", "time"};
    struct record_header all[] = {
        {span_of("ce-specversion"), span_of("1.0")},
        {span_of("ce-id"), span_of("1")},
        {span_of("ce-source"), span_of("/crm")},
        {span_of("ce-type"), span_of("t")},
        {span_of("ce-time"), span_of("2026-01-08T10:12:07Z")},
    };
    for (size_t left_out = 0; left_out < 5; left_out++) {
        struct record_header headers[5];
        size_t count = 0;
        struct event event;
        struct fault fault;
        for (size_t i = 0; i < 5; i++)
            if (i != left_out)
                headers[count++] = all[i];
        assert_int_equal(event_from_http(headers, count, span_of(""), &arena, &event, &fault),
                         ERR_INVALID);
        assert_string_equal(fault.pointer + 1, names[left_out]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_modes_apart),
        cmocka_unit_test(decodes_header_values),
        cmocka_unit_test(takes_header_names_in_any_case),
        cmocka_unit_test(reads_data),
        cmocka_unit_test(wants_the_required_attributes),
    };
    arena_init(&arena, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
