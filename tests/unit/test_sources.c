/* The shipped sources: for each type that a source maps, and each of its rules,
 * a hand-written payload stands in tests/unit/payloads/<source> with the event
 * it must become. A file is
 *
 *   {"expect": {"outcome", "type", "time", "customer", …}, "headers": {…}, "payload": …}
 *
 * "data" under "expect" has pointers into the event's data (null: it is not there); "headers" are
 * the request's, where the source reads any. */
#include "tests/unit/mapping_kit.h"

#include "common/event/event_time.h"

#define PAYLOADS    "tests/unit/payloads"
#define FILES_LIMIT 256

static struct kit kit;
static struct sources *sources;

/* What the payloads of one source have reached. */
struct reached {
    const char *types[FILES_LIMIT];
    size_t type_count;
    bool rules[256];
};

static int set_up(void **state)
{
    (void)state;
    struct fault fault = {.pointer = ""};
    kit_open(&kit, "config");
    kit_expect(sources_load("config", kit.vocabulary, kit.kinds, &sources, &fault), &fault);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sources_free(sources);
    kit_close(&kit);
    return 0;
}

static void expect_text(const char *path, const char *what, const char *got, json_t *want)
{
    const char *text = json_is_string(want) ? json_string_value(want) : "(none)";
    if (strcmp(got, text) != 0)
        fail_msg("%s: %s is %s, not %s", path, what, got, text);
}

static void expect_data(const char *path, struct span data, json_t *want)
{
    const char *pointer;
    json_t *value, *tree = json_loadb(data.ptr, data.len, 0, NULL);
    assert_non_null(tree);
    json_object_foreach(want, pointer, value)
    {
        json_t *got = json_pointer_get(tree, pointer);
        if (json_is_null(value) ? got != NULL : !json_equal(got, value))
            fail_msg("%s: %s of %.*s", path, pointer, SPAN_ARGS(data));
    }
    json_decref(tree);
}

static void expect_event(const char *path, const struct mapped *mapped, json_t *expect,
                         struct span element)
{
    char time[EVENT_TIME_TEXT];
    struct span payload;
    event_time_format(mapped->facts.occurred_at, time);
    expect_text(path, "type", kit_text(&kit, mapped->event.type), json_object_get(expect, "type"));
    expect_text(path, "id", kit_text(&kit, mapped->event.id), json_object_get(expect, "id"));
    expect_text(path, "time", time, json_object_get(expect, "time"));
    const struct {
        const char *key;
        struct span got;
    } facts[] = {
        {"customer", mapped->facts.customer}, {"owner", mapped->facts.owner},
        {"amount", mapped->facts.amount},     {"currency", mapped->facts.currency},
        {"summary", mapped->facts.summary},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
        expect_text(path, facts[i].key, kit_text(&kit, facts[i].got),
                    json_object_get(expect, facts[i].key));
    expect_data(path, mapped->event.data, json_object_get(expect, "data"));
    assert_int_equal(json_scan_pointer(mapped->event.data, "/payload", &payload), 0);
    assert_string_equal(kit_text(&kit, payload), kit_text(&kit, element));
}

/* The one thing that a payload is, or the one element of the array. */
static struct span only_element(struct span payload)
{
    struct span element;
    size_t cursor = 0;
    return json_scan_next(payload, &cursor, &element) ? element : payload;
}

static void check_payload(const struct source *source, const char *path, struct reached *reached)
{
    static const char *const outcomes[] = {"mapped", "ignored", "quarantined"};
    struct span payload = {NULL, 0};
    size_t len;
    char *text = kit_read_file(path, &len);
    json_t *file = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    if (!file || json_scan_pointer((struct span){text, len}, "/payload", &payload))
        fail_msg("%s is no file with a payload", path);
    json_t *expect = json_object_get(file, "expect");
    struct record_header headers[KIT_HEADERS_LIMIT];
    size_t header_count = kit_headers(json_object_get(file, "headers"), headers);
    struct mapped mapped =
        kit_map(&kit, source->mapping, source->department, payload, 0, headers, header_count);
    expect_text(path, "outcome", outcomes[mapped.outcome], json_object_get(expect, "outcome"));
    if (mapped.outcome == MAPPED_EVENT) {
        expect_event(path, &mapped, expect, only_element(payload));
        reached->types[reached->type_count++] = kit_text(&kit, mapped.event.type);
    } else {
        expect_text(path, "reason", mapped.reason, json_object_get(expect, "reason"));
    }
    if (mapped.rule >= 0)
        reached->rules[mapped.rule] = true;
    json_decref(file);
    free(text);
}

static void check_payloads(const struct source *source, struct reached *reached)
{
    char path[512];
    const struct dirent *entry;
    snprintf(path, sizeof path, PAYLOADS "/%s", source->name);
    DIR *dir = opendir(path);
    if (!dir)
        fail_msg("there are no payloads of %s in %s", source->name, path);
    while ((entry = readdir(dir)) && reached->type_count < FILES_LIMIT) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, PAYLOADS "/%s/%s", source->name, entry->d_name);
        check_payload(source, path, reached);
    }
    closedir(dir);
}

static void expect_type_reached(const struct source *source, const struct reached *reached,
                                const char *type)
{
    for (size_t i = 0; i < reached->type_count; i++)
        if (strcmp(reached->types[i], type) == 0)
            return;
    fail_msg("%s maps %s, and no payload shows it", source->name, type);
}

/* Every payload comes out as expected, and nothing of the file is without one. */
static void every_rule_and_type_has_a_payload(void **state)
{
    (void)state;
    static struct reached reached;
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = &sources->items[i];
        char path[512];
        size_t j;
        json_t *rule, *to;
        const char *from;
        snprintf(path, sizeof path, "config/sources/%s.json", source->name);
        json_t *file = json_load_file(path, 0, NULL);
        assert_non_null(file);
        reached = (struct reached){.type_count = 0};
        check_payloads(source, &reached);
        json_array_foreach(json_object_get(file, "rules"), j, rule)
        {
            json_t *type = json_object_get(rule, "type");
            if (!reached.rules[j])
                fail_msg("%s: no payload reaches /rules/%zu", source->name, j);
            if (json_is_string(type))
                expect_type_reached(source, &reached, json_string_value(type));
            json_object_foreach(json_object_get(type, "map"), from, to)
                expect_type_reached(source, &reached, json_string_value(to));
        }
        json_decref(file);
    }
}

/* What the condition compares the type's member or header with; NULL: nothing. */
static json_t *names_asked_for(json_t *condition, json_t *type)
{
    const char *pointer = json_string_value(json_object_get(type, "pointer"));
    const char *header = json_string_value(json_object_get(type, "header"));
    if (header)
        return json_object_get(json_object_get(condition, "headers"), header);
    return pointer ? json_object_get(condition, pointer) : NULL;
}

/* What a rule asks for by name, it also maps: a list in "if" and the map beside it agree. */
static void conditions_and_type_maps_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < sources->count; i++) {
        char path[512];
        size_t j, k;
        json_t *rule, *name;
        snprintf(path, sizeof path, "config/sources/%s.json", sources->items[i].name);
        json_t *file = json_load_file(path, 0, NULL);
        json_array_foreach(json_object_get(file, "rules"), j, rule)
        {
            json_t *type = json_object_get(rule, "type"), *map = json_object_get(type, "map");
            json_t *names = names_asked_for(json_object_get(rule, "if"), type);
            json_array_foreach(names, k, name) if (!json_object_get(map, json_string_value(name)))
                fail_msg("%s: /rules/%zu does not map %s", path, j, json_string_value(name));
            if (json_is_array(names))
                assert_int_equal(json_array_size(names), json_object_size(map));
        }
        json_decref(file);
    }
}

static void departments_have_words_enough(void **state)
{
    (void)state;
    static const char *const names[] = {"sales", "billing", "service"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct department *department =
            vocabulary_department(kit.vocabulary, span_of(names[i]));
        char linked[64];
        const struct event_type *type = NULL;
        assert_non_null(department);
        assert_true(department->type_count >= 8);
        snprintf(linked, sizeof linked, "%s.customer.linked", names[i]);
        assert_int_equal(department_type(department, span_of(linked), &type, NULL), 0);
        assert_int_equal(type->money, MONEY_NONE);
        assert_false(type->touch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_and_type_has_a_payload),
        cmocka_unit_test(conditions_and_type_maps_agree),
        cmocka_unit_test(departments_have_words_enough),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
