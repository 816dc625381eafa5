/* CloudEvents' JSON format, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/event/event_json.h"
#include "common/json/json_pointer.h"

#define HEAD                                                                                       \
    "\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/crm\",\"type\":\"sales.deal.won\","        \
    "\"time\":\"2026-01-08T10:12:07Z\""

static struct arena arena;

static int decode(const char *text, struct event *event, struct fault *fault)
{
    json_t *tree;
    *fault = (struct fault){.detail = ""};
    int result = json_read(span_of(text), &tree, NULL, fault);
    if (result != 0)
        return result;
    json_decref(tree);
    return event_from_json(span_of(text), &arena, event, fault);
}

static void assert_text(struct span actual, const char *expected)
{
    if (!span_is(actual, expected) || !actual.ptr)
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARGS(actual), expected);
}

/* What follows the required attributes, and which data come of it. */
static const struct {
    const char *rest;
    enum event_data kind;
    const char *data;
} good[] = {
    {"", EVENT_DATA_NONE, NULL},
    {",\"data\":null", EVENT_DATA_JSON, "null"},
    {",\"data\": { \"a\" : 1.50 } ", EVENT_DATA_JSON, "{ \"a\" : 1.50 }"},
    {",\"data\":\"text\"", EVENT_DATA_JSON, "\"text\""},
    {",\"data\":9007199254740993.0", EVENT_DATA_JSON, "9007199254740993.0"},
    {",\"data\":{},\"datacontenttype\":\"application/json; charset=utf-8\"", EVENT_DATA_JSON, "{}"},
    {",\"data\":{},\"datacontenttype\":\"application/vnd.x+JSON\"", EVENT_DATA_JSON, "{}"},
    {",\"data\":\"<a b=\\\"c\\\"/>\",\"datacontenttype\":\"application/xml\"", EVENT_DATA_BINARY,
     "<a b=\"c\"/>"},
    {",\"datacontenttype\":\"text/plain\",\"data\":\"\"", EVENT_DATA_BINARY, ""},
    {",\"data_base64\":\"eyAieHl6IjogMTIzIH0=\"", EVENT_DATA_JSON, "{ \"xyz\": 123 }"},
    {",\"data_base64\":\"AP8=\",\"datacontenttype\":\"image/png\"", EVENT_DATA_BINARY, NULL},
    {",\"data_base64\":null,\"data\":1", EVENT_DATA_JSON, "1"},
    {",\"d\\u0061ta\":2", EVENT_DATA_JSON, "2"},
};

static void reads_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct event event;
        struct fault fault;
        char text[512];
        snprintf(text, sizeof text, " {" HEAD "%s}\n", good[i].rest);
        print_message("%s\n", good[i].rest);
        if (decode(text, &event, &fault) != 0)
            fail_msg("%s: %s", fault.pointer, fault.detail);
        assert_int_equal(event.data_kind, good[i].kind);
        if (good[i].data)
            assert_text(event.data, good[i].data);
        assert_text(event.id, "1");
        assert_text(event.time, "2026-01-08T10:12:07Z");
    }
}

static void reads_attributes_as_text(void **state)
{
    (void)state;
    struct event event;
    struct fault fault;
    assert_int_equal(decode("{" HEAD
                            ",\"zeta\":true,\"number\":-2147483648,\"beta\":\"a\\u00e4\\n\"}",
                            &event, &fault),
                     ERR_INVALID);
    assert_string_equal(fault.pointer, "/beta");
    assert_int_equal(decode("{" HEAD ",\"zeta\":true,\"number\":-2147483648,\"beta\":\"a\\u00e4\","
                            "\"none\":null,\"subject\":null,\"empty\":\"\"}",
                            &event, &fault),
                     0);
    assert_int_equal(event.extension_count, 4);
    assert_text(event.extensions[0].name, "beta");
    assert_text(event_extension(&event, "beta"), "a\xC3\xA4");
    assert_text(event_extension(&event, "empty"), "");
    assert_text(event_extension(&event, "number"), "-2147483648");
    assert_text(event_extension(&event, "zeta"), "true");
    assert_null(event_extension(&event, "none").ptr);
    assert_null(event.subject.ptr);
}

static const struct {
    const char *text, *pointer;
} bad[] = {
    {"[]", ""},
    {"\"event\"", ""},
    {"{}", "/specversion"},
    {"{\"id\":\"1\",\"source\":\"/a\",\"type\":\"t\",\"time\":\"2026-01-08T10:12:07Z\"}",
     "/specversion"},
    {"{\"specversion\":\"0.3\"}", "/specversion"},
    {"{\"specversion\":1.0}", "/specversion"},
    {"{\"specversion\":\"1.0\",\"source\":\"/a\",\"type\":\"t\",\"time\":\"2026-01-08T10:12:07Z\"}",
     "/id"},
    {"{\"specversion\":\"1.0\",\"id\":\"1\",\"type\":\"t\",\"time\":\"2026-01-08T10:12:07Z\"}",
     "/source"},
    {"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"time\":\"2026-01-08T10:12:07Z\"}",
     "/type"},
    {"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"t\"}", "/time"},
    {"{\"id\":\"\"}", "/id"},
    {"{\"id\":7}", "/id"},
    {"{\"id\":\"a\\u0007\"}", "/id"},
    {"{\"id\":\"a\\u0085\"}", "/id"},
    {"{\"id\":\"a\\uFFFE\"}", "/id"},
    {"{\"source\":\"\"}", "/source"},
    {"{\"source\":\"a b\"}", "/source"},
    {"{\"source\":\"1:2\"}", "/source"},
    {"{\"source\":\"/%zz\"}", "/source"},
    {"{\"source\":\"/a#b#c\"}", "/source"},
    {"{\"source\":\"/[\"}", "/source"},
    {"{\"source\":\"//[::1]/a?b=[1]\"}", "/source"},
    {"{\"source\":\"/\\u00e4\"}", "/source"},
    {"{\"type\":true}", "/type"},
    {"{\"time\":\"2026-01-08\"}", "/time"},
    {"{\"time\":1767867127}", "/time"},
    {"{\"subject\":\"\"}", "/subject"},
    {"{\"dataschema\":\"/relative\"}", "/dataschema"},
    {"{\"datacontenttype\":\"json\"}", "/datacontenttype"},
    {"{\"datacontenttype\":\"application/\"}", "/datacontenttype"},
    {"{\"datacontenttype\":\"application/cloudevents+json\"}", "/datacontenttype"},
    {"{\"datacontenttype\":\"Application/CloudEvents-batch+json; charset=utf-8\"}",
     "/datacontenttype"},
    {"{\"Upper\":\"1\"}", ""},
    {"{\"with_line\":\"1\"}", ""},
    {"{\"\":\"1\"}", ""},
    {"{\"ext\":1.5}", "/ext"},
    {"{\"ext\":1e3}", "/ext"},
    {"{\"ext\":2147483648}", "/ext"},
    {"{\"ext\":{}}", "/ext"},
    {"{\"ext\":[]}", "/ext"},
    {"{" HEAD ",\"data\":1,\"data_base64\":\"AA==\"}", "/data_base64"},
    {"{" HEAD ",\"data\":null,\"data_base64\":\"AA==\"}", "/data_base64"},
    {"{" HEAD ",\"data_base64\":1}", "/data_base64"},
    {"{" HEAD ",\"data_base64\":\"...\"}", "/data_base64"},
    {"{" HEAD ",\"data_base64\":\"ew==\"}", "/data_base64"},
    {"{" HEAD ",\"a~b/c\":{}}", "/a~0b~1c"},
    {"{" HEAD ",\"datacontenttype\":\"text/plain\",\"data\":{}}", "/data"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct event event;
        struct fault fault;
        print_message("%s\n", bad[i].text);
        int result = decode(bad[i].text, &event, &fault);
        if (result != ERR_INVALID || strcmp(fault.pointer, bad[i].pointer) != 0)
            fail_msg("result %d, pointer %s: %s", result, fault.pointer, fault.detail);
    }
}

static void takes_uris(void **state)
{
    (void)state;
    static const char *const sources[] = {
        "https://github.com/cloudevents",
        "mailto:cncf-wg-serverless@lists.cncf.io",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "/cloudevents/spec/pull/123",
        "1-555-123-4567",
        "//[::1]:80/a",
        "a?b:c",
        "?a",
        "#a",
        "/a%20b",
    };
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        struct event event = {.data_kind = EVENT_DATA_NONE};
        bool seen = false;
        print_message("%s\n", sources[i]);
        assert_int_equal(
            event_set_attribute(&event, span_of("source"), span_of(sources[i]), &seen, NULL), 0);
    }
}

static void bounds_attributes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t most;
    } limits[] = {{"id", EVENT_ID_LIMIT},
                  {"source", EVENT_SOURCE_LIMIT},
                  {"type", EVENT_TYPE_LIMIT},
                  {"ext", EVENT_VALUE_LIMIT}};
    static char value[EVENT_VALUE_LIMIT + 1];
    memset(value, 'a', sizeof value);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct event event = {.data_kind = EVENT_DATA_NONE};
        bool seen = false;
        struct span over = {value, limits[i].most + 1}, fits = {value, limits[i].most};
        struct span name = span_of(limits[i].name);
        struct fault told;
        char longest[32];
        snprintf(longest, sizeof longest, "longer than %zu bytes", limits[i].most);
        assert_int_equal(event_set_attribute(&event, name, over, &seen, &told), ERR_INVALID);
        assert_non_null(strstr(told.detail, longest));
        assert_int_equal(event_set_attribute(&event, name, fits, &seen, NULL), 0);
        assert_int_equal(event_set_attribute(&event, name, fits, &seen, NULL), ERR_INVALID);
    }
    struct event event = {.data_kind = EVENT_DATA_NONE};
    struct fault fault;
    bool seen = false;
    struct span name = {value, EVENT_NAME_LIMIT};
    assert_int_equal(event_set_attribute(&event, name, span_of("1"), &seen, &fault), 0);
    name.len++;
    assert_int_equal(event_set_attribute(&event, name, span_of("1"), &seen, &fault), ERR_INVALID);
    for (size_t i = 1; i < EVENT_EXTENSIONS_LIMIT; i++) {
        name.len = i;
        assert_int_equal(event_set_attribute(&event, name, span_of("1"), &seen, &fault), 0);
    }
    assert_int_equal(event_set_attribute(&event, span_of("b"), span_of("1"), &seen, &fault),
                     ERR_INVALID);
    assert_int_equal(event_set_extension(&event, "b", span_of("1")), ERR_LIMIT);
    assert_int_equal(event_set_extension(&event, "a", span_of("2")), 0);
    assert_text(event_extension(&event, "a"), "2");
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct event event, again;
        struct fault fault;
        char text[512];
        struct buffer out;
        snprintf(text, sizeof text, "{" HEAD ",\"ext\":\"q\\\"\\u00e4\",\"subject\":\"s\"%s}",
                 good[i].rest);
        assert_int_equal(decode(text, &event, &fault), 0);
        buffer_init(&out, 4096);
        event_to_json(&event, &out);
        assert_false(out.failed);
        print_message("%s\n", out.data);
        assert_int_equal(decode(out.data, &again, &fault), 0);
        assert_int_equal(again.data_kind, event.data_kind);
        assert_true(span_equal(again.data, event.data));
        assert_true(span_equal(again.datacontenttype, event.datacontenttype));
        assert_text(event_extension(&again, "ext"), "q\"\xC3\xA4");
        assert_text(again.subject, "s");
        buffer_free(&out);
    }
}

static void tells_json_by_its_media_type(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        bool json;
    } types[] = {
        {NULL, true},
        {"application/json", true},
        {"Application/JSON ; charset=utf-8", true},
        {"text/json", true},
        {"application/cloudevents+json", true},
        {"a/b+Json;x=y", true},
        {"application/json5", false},
        {"application/xml", false},
        {"json", false},
        {"", false},
        {"text/plain; a=application/json", false},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_int_equal(event_media_type_is_json(span_of(types[i].type)), types[i].json);
    assert_true(event_media_type_is(span_of(" Text/Plain ; a=b"), "text/plain"));
    assert_false(event_media_type_is(span_of("text/plainer"), "text/plain"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_data),
        cmocka_unit_test(reads_attributes_as_text),
        cmocka_unit_test(refuses),
        cmocka_unit_test(takes_uris),
        cmocka_unit_test(bounds_attributes),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(tells_json_by_its_media_type),
    };
    arena_init(&arena, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
