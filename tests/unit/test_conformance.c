/*
 * The official CloudEvents conformance files, run against the codecs: the
 * features of the HTTP and Kafka bindings, the YAML events, the examples of the
 * JSON format. Their types are in no vocabulary, so admission is not asked.
 * Where the contract asks for more than CloudEvents (time), that is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/hex.h"
#include "common/event/event_http.h"
#include "common/event/event_json.h"
#include "common/event/event_kafka.h"
#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"
#include "tests/unit/gherkin.h"

static char folder[512];
static struct arena arena;

static struct span read_fixture(const char *name)
{
    char path[768];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: cannot be read", path);
    char *text = arena_alloc(&arena, 65536);
    size_t len = fread(text, 1, 65535, file);
    fclose(file);
    assert_true(len > 0);
    text[len] = '\0';
    return (struct span){text, len};
}

static void assert_text(struct span actual, struct span expected)
{
    if (!actual.ptr || !span_equal(actual, expected))
        fail_msg("\"%.*s\" is not \"%.*s\"", SPAN_ARGS(actual), SPAN_ARGS(expected));
}

/* What a scenario has said so far. */
struct scenario {
    struct record_header headers[16];
    size_t header_count;
    struct span body;
    struct event event;
};

static struct span header(const struct scenario *s, const char *name)
{
    for (size_t i = 0; i < s->header_count; i++)
        if (span_is_nocase(s->headers[i].name, name))
            return s->headers[i].value;
    return (struct span){NULL, 0};
}

static void given_http_request(struct scenario *s, struct span request)
{
    const char *end = strstr(request.ptr, "\n\n"), *line = strchr(request.ptr, '\n');
    assert_true(end && line && line < end);
    s->body = span_of(end + 2);
    while (line < end) {
        const char *next = strchr(++line, '\n'), *colon = strchr(line, ':');
        assert_true(next && colon && colon < next);
        s->headers[s->header_count++] = (struct record_header){
            {line, (size_t)(colon - line)},
            event_text_trim((struct span){colon + 1, (size_t)(next - colon) - 1}),
        };
        line = next;
    }
}

static int decode_structured(struct span text, struct event *event, struct fault *fault)
{
    json_t *tree;
    struct span body;
    int result = json_read(text, &tree, &body, fault);
    if (result != 0)
        return result;
    json_decref(tree);
    return event_from_json(body, &arena, event, fault);
}

static void when_parsed_as_http(struct scenario *s)
{
    enum event_mode mode;
    struct fault fault = {.detail = ""};
    assert_int_equal(event_http_mode(header(s, "content-type"), &mode), 0);
    int result =
        mode == EVENT_MODE_STRUCTURED
            ? decode_structured(s->body, &s->event, &fault)
            : event_from_http(s->headers, s->header_count, s->body, &arena, &s->event, &fault);
    if (result != 0)
        fail_msg("%s: %s", fault.pointer, fault.detail);
}

static void when_parsed_as_kafka(struct scenario *s)
{
    struct record record = {
        .headers = s->headers, .header_count = s->header_count, .value = s->body};
    struct fault fault = {.detail = ""};
    if (event_from_record(&record, &arena, &s->event, &fault) != 0)
        fail_msg("%s: %s", fault.pointer, fault.detail);
}

static struct span attribute(const struct event *event, struct span name)
{
    if (span_is(name, "id"))
        return event->id;
    if (span_is(name, "source"))
        return event->source;
    if (span_is(name, "type"))
        return event->type;
    if (span_is(name, "time"))
        return event->time;
    if (span_is(name, "datacontenttype"))
        return event->datacontenttype;
    if (span_is(name, "specversion")) /* no decoder lets another one in */
        return span_of("1.0");
    return event_extension(event, arena_strdup(&arena, name));
}

static void then_attributes_are(const struct event *event, const struct gherkin_table *table)
{
    assert_true(table->rows > 1);
    for (size_t row = 1; row < table->rows; row++)
        assert_text(attribute(event, table->cells[row][0]), table->cells[row][1]);
    assert_int_equal(event->extension_count, 0);
    assert_null(event->subject.ptr);
    assert_null(event->dataschema.ptr);
}

static void then_data_is_json(const struct event *event, struct span expected)
{
    json_t *actual = json_loadb(event->data.ptr, event->data.len, JSON_DECODE_ANY, NULL);
    json_t *wanted = json_loadb(expected.ptr, expected.len, JSON_DECODE_ANY, NULL);
    assert_int_equal(event->data_kind, EVENT_DATA_JSON);
    assert_non_null(wanted);
    assert_true(json_equal(actual, wanted));
    json_decref(actual);
    json_decref(wanted);
}

static void run_step(const struct gherkin_step *step, bool first, void *context)
{
    struct scenario *s = context;
    if (first)
        *s = (struct scenario){.header_count = 0};
    print_message("    %.*s\n", SPAN_ARGS(step->text));
    if (span_is(step->text, "an HTTP request"))
        given_http_request(s, step->doc);
    else if (span_is(step->text, "a Kafka message with payload:"))
        s->body = step->doc;
    else if (span_is(step->text, "Kafka headers:"))
        for (size_t row = 1; row < step->table.rows; row++)
            s->headers[s->header_count++] =
                (struct record_header){step->table.cells[row][0], step->table.cells[row][1]};
    else if (span_is(step->text, "parsed as HTTP request"))
        when_parsed_as_http(s);
    else if (span_is(step->text, "parsed as Kafka message"))
        when_parsed_as_kafka(s);
    else if (span_is(step->text, "the attributes are:"))
        then_attributes_are(&s->event, &step->table);
    else if (span_is(step->text, "the data is equal to the following JSON:"))
        then_data_is_json(&s->event, step->doc);
    else
        fail_msg("unknown step: %.*s", SPAN_ARGS(step->text));
}

static void run_feature(const char *name, size_t scenarios)
{
    struct scenario scenario;
    struct gherkin *gherkin = arena_alloc(&arena, sizeof *gherkin);
    *gherkin = (struct gherkin){.arena = &arena, .step = run_step, .context = &scenario};
    gherkin_run(gherkin, read_fixture(name));
    print_message("%s: %zu scenarios\n", name, gherkin->scenarios);
    assert_int_equal(gherkin->scenarios, scenarios);
}

static void http_binding(void **state)
{
    (void)state;
    run_feature("cloudevents/conformance_features_http-protocol-binding.feature", 4);
}

static void kafka_binding(void **state)
{
    (void)state;
    run_feature("cloudevents/conformance_features_kafka-protocol-binding.feature", 3);
}

/* The JSON format's own examples. `pointer`: refused, and what is to blame. */
static const struct {
    const char *file;
    enum event_data kind;
    const char *data, *pointer;
} examples[] = {
    {"01_data_base64", 0, NULL, "/data_base64"}, /* "... base64 encoded string ..." */
    {"02_structured", EVENT_DATA_BINARY, "<much wow=\"xml\"/>", NULL},
    {"03_structured", EVENT_DATA_JSON, NULL, NULL},
    {"04_structured", EVENT_DATA_JSON, "1.5", NULL},
    {"05_structured", EVENT_DATA_JSON, "\"I'm just a string\"", NULL},
    {"06_data_base64", 0, NULL, "/time"}, /* the contract wants time */
};

static void json_format_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char name[64];
        struct event event;
        struct fault fault = {.detail = ""};
        snprintf(name, sizeof name, "cloudevents/spec_json-format_%s.json", examples[i].file);
        print_message("%s\n", name);
        int result = decode_structured(read_fixture(name), &event, &fault);
        if (examples[i].pointer) {
            assert_int_equal(result, ERR_INVALID);
            assert_string_equal(fault.pointer, examples[i].pointer);
            continue;
        }
        assert_int_equal(result, 0);
        assert_int_equal(event.data_kind, examples[i].kind);
        if (examples[i].data)
            assert_text(event.data, span_of(examples[i].data));
        assert_text(event_extension(&event, "comexampleextension1"), span_of("value"));
        assert_text(event_extension(&event, "comexampleothervalue"), span_of("5"));
        assert_int_equal(event.extension_count, 2);
    }
}

static void json_batch_examples(void **state)
{
    (void)state;
    struct span batch = read_fixture("cloudevents/spec_json-format_07_batch.json"), element;
    struct span empty = read_fixture("cloudevents/spec_json-format_08_batch.json");
    struct event event;
    struct fault fault = {.detail = ""};
    size_t cursor = 0, none = 0;
    assert_int_equal(json_scan_check(batch, &fault), 0);
    assert_true(json_scan_next(batch, &cursor, &element));
    assert_int_equal(decode_structured(element, &event, &fault), ERR_INVALID);
    assert_string_equal(fault.pointer, "/data_base64");
    assert_true(json_scan_next(batch, &cursor, &element));
    assert_int_equal(decode_structured(element, &event, &fault), 0);
    assert_text(event.source, span_of("/mycontext/9"));
    assert_false(json_scan_next(batch, &cursor, &element));
    assert_false(json_scan_next(empty, &none, &element));
}

static void event_with_empty_attributes(void **state)
{
    (void)state;
    struct event event;
    struct fault fault = {.detail = ""};
    assert_int_equal(
        decode_structured(read_fixture("salesforce/opportunity-cdc-event.cloudevent.json"), &event,
                          &fault),
        ERR_INVALID);
    assert_string_equal(fault.pointer, "/source");
}

/* One event of a YAML file: the attributes as headers, and the data. */
struct yaml_event {
    struct record_header headers[16];
    size_t count;
    struct span data;
};

static struct span unquoted(struct span value)
{
    value = event_text_trim(value);
    if (value.len >= 2 && value.ptr[0] == '"')
        return (struct span){value.ptr + 1, value.len - 2};
    return value;
}

/* The lines of a block ("|"), until one with less indentation; *at becomes the last. */
static struct span yaml_block(char **lines, size_t count, size_t *at)
{
    const char *text = "";
    size_t indent = strspn(lines[*at + 1], " ");
    while (*at + 1 < count && strspn(lines[*at + 1], " ") >= indent && lines[*at + 1][0] == ' ')
        text = arena_printf(&arena, "%s%s%s", text, *text ? "\n" : "", lines[++*at] + indent);
    return span_of(text);
}

/* "key: value" lines below ContextAttributes and its Extensions; Data. */
static void read_yaml_event(char **lines, size_t count, struct yaml_event *out)
{
    bool attributes = false;
    *out = (struct yaml_event){.count = 0};
    for (size_t i = 0; i < count; i++) {
        char *colon = strstr(lines[i], ":");
        size_t indent = strspn(lines[i], " ");
        if (!colon || lines[i][0] == '#')
            continue;
        struct span key = event_text_trim((struct span){lines[i], (size_t)(colon - lines[i])});
        struct span value = unquoted(span_of(colon + 1));
        if (span_is(value, "|"))
            value = yaml_block(lines, count, &i);
        if (indent == 0)
            attributes = span_is(key, "ContextAttributes");
        if (span_is(key, "Data"))
            out->data = value;
        else if (attributes && indent > 0 && !span_is(key, "Extensions"))
            out->headers[out->count++] = (struct record_header){key, value};
    }
}

/* As HTTP carries a value: percent-encoded (binding, section 3.1.3.2). */
static struct span encoded(struct span value)
{
    char *text = arena_alloc(&arena, value.len * 3);
    return (struct span){text, (size_t)(percent_write(text, value) - text)};
}

/* The event's headers, their names with a binding's prefix; content-type for datacontenttype. */
static size_t to_headers(const struct yaml_event *yaml, bool http, struct record_header *headers)
{
    for (size_t i = 0; i < yaml->count; i++) {
        struct span name = yaml->headers[i].name, value = yaml->headers[i].value;
        if (span_is(name, "datacontenttype")) {
            headers[i] = (struct record_header){span_of("content-type"), value};
            continue;
        }
        char *prefixed = arena_printf(&arena, "%s%.*s", http ? "ce-" : "ce_", SPAN_ARGS(name));
        headers[i] = (struct record_header){span_of(prefixed), http ? encoded(value) : value};
    }
    return yaml->count;
}

static void assert_event(const struct event *event, const struct yaml_event *yaml)
{
    for (size_t i = 0; i < yaml->count; i++)
        assert_text(attribute(event, yaml->headers[i].name), yaml->headers[i].value);
    assert_text(event->data, yaml->data);
}

/* `pointer`: what both bindings must blame; NULL: both must read the event. */
static void check_yaml_event(const struct yaml_event *yaml, const char *pointer)
{
    struct record_header headers[16];
    struct event event;
    struct fault fault = {.detail = ""};
    size_t count = to_headers(yaml, true, headers);
    int result = event_from_http(headers, count, yaml->data, &arena, &event, &fault);
    if (result != (pointer ? ERR_INVALID : 0) || strcmp(fault.pointer, pointer ? pointer : "") != 0)
        fail_msg("HTTP: %d %s: %s", result, fault.pointer, fault.detail);
    if (!pointer)
        assert_event(&event, yaml);

    count = to_headers(yaml, false, headers);
    struct record record = {.headers = headers, .header_count = count, .value = yaml->data};
    fault = (struct fault){.detail = ""};
    result = event_from_record(&record, &arena, &event, &fault);
    if (result != (pointer ? ERR_INVALID : 0) || strcmp(fault.pointer, pointer ? pointer : "") != 0)
        fail_msg("Kafka: %d %s: %s", result, fault.pointer, fault.detail);
    if (!pointer)
        assert_event(&event, yaml);
}

/* The documents of a file; where they lack the time that the contract wants,
 * they are refused for that, and read with one. */
static size_t check_yaml_file(const char *name, const char *pointer)
{
    char *lines[256], *text = arena_strdup(&arena, read_fixture(name));
    size_t count = 0, documents = 0;
    for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
        bool end = strcmp(line, "---") == 0 || !text;
        if (!end && count < 256)
            lines[count++] = line;
        if (!end || count == 0)
            continue;
        struct yaml_event yaml;
        read_yaml_event(lines, count, &yaml);
        print_message("%s: document %zu, %zu attributes\n", name, ++documents, yaml.count);
        count = 0;
        if (pointer && strcmp(pointer, "/time") == 0) {
            check_yaml_event(&yaml, pointer);
            yaml.headers[yaml.count++] =
                (struct record_header){span_of("time"), span_of("2026-01-08T10:12:07Z")};
            check_yaml_event(&yaml, NULL);
        } else {
            check_yaml_event(&yaml, pointer);
        }
    }
    return documents;
}

static void yaml_events(void **state)
{
    (void)state;
    assert_int_equal(check_yaml_file("cloudevents/conformance_yaml_v1.yaml", NULL), 2);
    assert_int_equal(check_yaml_file("cloudevents/conformance_yaml_v1.0_v1_minimum.yaml", "/time"),
                     6);
    assert_int_equal(check_yaml_file("cloudevents/conformance_yaml_v03.yaml", "/specversion"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_binding),
        cmocka_unit_test(kafka_binding),
        cmocka_unit_test(json_format_examples),
        cmocka_unit_test(json_batch_examples),
        cmocka_unit_test(event_with_empty_attributes),
        cmocka_unit_test(yaml_events),
    };
    const char *given = getenv("FIXTURES");
    snprintf(folder, sizeof folder, "%s", given && *given ? given : "../shared/fixtures");
    char probe[768];
    snprintf(probe, sizeof probe, "%s/cloudevents", folder);
    if (access(probe, R_OK) != 0) {
        printf("SKIPPED: %zu fixture tests, no fixtures at %s\n", sizeof tests / sizeof *tests,
               folder);
        return 0;
    }
    arena_init(&arena, 16 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
