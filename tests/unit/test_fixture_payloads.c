/* Real payloads through the shipped sources: every JSON file of the six systems in
 * the fixtures comes out as tests/support/fixture_expectations.json says; each is
 * listed with its outcome. The end-to-end test posts the same ones. */
#include "tests/unit/mapping_kit.h"

#include "common/event/event_time.h"

#define EXPECTATIONS    "tests/support/fixture_expectations.json"
#define MAPPED_AT_LEAST 42

static const char *const systems[] = {"stripe",  "hubspot",   "zendesk",
                                      "shopify", "pipedrive", "salesforce"};

static struct kit kit;
static struct sources *sources;
static json_t *expectations;
static const char *fixtures;

static int set_up(void **state)
{
    (void)state;
    struct fault fault = {.pointer = ""};
    kit_open(&kit, "config");
    kit_expect(sources_load("config", kit.vocabulary, kit.kinds, &sources, &fault), &fault);
    expectations = json_load_file(EXPECTATIONS, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(expectations);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(expectations);
    sources_free(sources);
    kit_close(&kit);
    return 0;
}

static const char *expected(json_t *expectation, const char *key)
{
    const char *text = json_string_value(json_object_get(expectation, key));
    return text ? text : "(none)";
}

static size_t differ(const char *name, const char *what, const char *got, const char *want)
{
    if (strcmp(got, want) == 0)
        return 0;
    printf("  %s: %s is %s, expected %s\n", name, what, got, want);
    return 1;
}

/* Prints the line of one payload; returns how many of its expectations are not met. */
static size_t compare(const char *name, struct mapped *mapped, json_t *expectation)
{
    static const char *const outcomes[] = {"mapped", "ignored", "quarantined"};
    const char *outcome = outcomes[mapped->outcome];
    size_t wrong = differ(name, "outcome", outcome, expected(expectation, "outcome"));
    if (mapped->outcome != MAPPED_EVENT) {
        printf("%-55s %s, rule %d: %s\n", name, outcome, mapped->rule, mapped->reason);
        return wrong + differ(name, "reason", mapped->reason, expected(expectation, "reason"));
    }
    char time[EVENT_TIME_TEXT];
    event_time_format(mapped->facts.occurred_at, time);
    const struct {
        const char *key, *got;
    } members[] = {
        {"type", kit_text(&kit, mapped->event.type)},
        {"time", time},
        {"customer", kit_text(&kit, mapped->facts.customer)},
        {"amount", kit_text(&kit, mapped->facts.amount)},
        {"currency", kit_text(&kit, mapped->facts.currency)},
        {"summary", kit_text(&kit, mapped->facts.summary)},
    };
    printf("%-55s %s, rule %d:", name, outcome, mapped->rule);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        printf(" %s", members[i].got);
    printf("\n");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        wrong +=
            differ(name, members[i].key, members[i].got, expected(expectation, members[i].key));
    return wrong;
}

/* HubSpot's item files are one element of the array that it posts; Shopify posts
 * what its REST API wraps in an object. */
static struct span body_of(const char *name, json_t *expectation)
{
    char path[512];
    size_t len;
    snprintf(path, sizeof path, "%s/%s", fixtures, name);
    char *text = kit_read_file(path, &len);
    bool wrap = json_is_true(json_object_get(expectation, "wrap"));
    struct span body = span_of(arena_printf(&kit.arena, wrap ? "[%s]" : "%s", text));
    const char *inner = json_string_value(json_object_get(expectation, "unwrap"));
    free(text);
    if (inner)
        assert_int_equal(json_scan_pointer(body, inner, &body), 0);
    return body;
}

/* What is sent again must have the id and time of the first. */
static size_t expect_same_event(const char *name, const char *first, const struct mapped *mapped)
{
    json_t *expectation = json_object_get(json_object_get(expectations, "fixtures"), first);
    const struct source *source = sources_find(sources, span_of(expected(expectation, "source")));
    struct mapped other =
        kit_map(&kit, source->mapping, source->department, body_of(first, expectation), 0, NULL, 0);
    return differ(name, "id", kit_text(&kit, mapped->event.id), kit_text(&kit, other.event.id)) +
           (mapped->facts.occurred_at != other.facts.occurred_at);
}

static size_t check_payload(const char *name, size_t *mapped_count)
{
    json_t *expectation = json_object_get(json_object_get(expectations, "fixtures"), name);
    if (json_object_get(json_object_get(expectations, "refused"), name))
        return 0; /* no webhook: test_conformance reads it */
    if (!expectation) {
        printf("  %s is not expected: add it to " EXPECTATIONS "\n", name);
        return 1;
    }
    const struct source *source = sources_find(sources, span_of(expected(expectation, "source")));
    assert_non_null(source);
    struct record_header headers[KIT_HEADERS_LIMIT];
    size_t header_count = kit_headers(json_object_get(expectation, "headers"), headers);
    struct mapped mapped = kit_map(&kit, source->mapping, source->department,
                                   body_of(name, expectation), 0, headers, header_count);
    const char *first = json_string_value(json_object_get(expectation, "duplicate_of"));
    *mapped_count += mapped.outcome == MAPPED_EVENT && !first;
    return compare(name, &mapped, expectation) +
           (first ? expect_same_event(name, first, &mapped) : 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_payloads(char *names[256])
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        char path[512];
        const struct dirent *entry;
        snprintf(path, sizeof path, "%s/%s", fixtures, systems[i]);
        DIR *dir = opendir(path);
        while (dir && (entry = readdir(dir)) && count < 256) {
            const char *end = strrchr(entry->d_name, '.');
            if (end && strcmp(end, ".json") == 0)
                names[count++] = arena_printf(&kit.arena, "%s/%s", systems[i], entry->d_name);
        }
        if (dir)
            closedir(dir);
    }
    qsort(names, count, sizeof names[0], by_name);
    return count;
}

static void every_fixture_comes_out_as_expected(void **state)
{
    (void)state;
    char *names[256];
    size_t count = list_payloads(names), mapped = 0, wrong = 0;
    if (count == 0) {
        printf("SKIPPED: %zu fixture tests, no fixtures at %s\n",
               json_object_size(json_object_get(expectations, "fixtures")), fixtures);
        return;
    }
    for (size_t i = 0; i < count; i++)
        wrong += check_payload(names[i], &mapped);
    printf("%zu payloads, %zu mapped\n", count, mapped);
    assert_int_equal(wrong, 0);
    assert_true(mapped >= MAPPED_AT_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_fixture_comes_out_as_expected)};
    fixtures = getenv("FIXTURES");
    if (!fixtures || !fixtures[0])
        fixtures = "../shared/fixtures";
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
