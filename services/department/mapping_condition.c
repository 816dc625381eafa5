#include "services/department/mapping_condition.h"

#include <stdio.h>

#include "common/json/json_pointer.h"
#include "common/json/predicate.h"

struct test {
    const char *pointer; /* NULL: a header */
    const char *header;
    struct value_test value;
};

struct condition {
    struct test *tests;
    size_t count;
};

/* A header is text: bounds and types are for members. */
static int check_header_test(const struct value_test *test, const char *at, struct fault *fault)
{
    size_t i;
    json_t *one;
    bool text = test->kind == TEST_PRESENT || test->kind == TEST_ABSENT ||
                (test->kind == TEST_EQUAL &&
                 (json_is_string(test->expected) || json_is_array(test->expected)));
    if (!text)
        return fault_set(fault, at, "must be a text, a list of texts or {\"present\": true}");
    json_array_foreach(test->expected, i, one)
    {
        if (!json_is_string(one))
            return fault_set(fault, at, "element %zu must be a string", i);
    }
    return 0;
}

static int parse_headers(struct condition *condition, json_t *headers, const char *at,
                         struct fault *fault)
{
    const char *name;
    json_t *expected;
    if (!json_is_object(headers) || json_object_size(headers) == 0)
        return fault_set(fault, at, "must be an object of header names");
    json_object_foreach(headers, name, expected)
    {
        char here[256];
        snprintf(here, sizeof here, "%s", at);
        json_pointer_append(here, sizeof here, name);
        struct test *test = &condition->tests[condition->count++];
        *test = (struct test){.header = name};
        int rc = value_test_parse(&test->value, expected, here, fault);
        if (rc == 0)
            rc = check_header_test(&test->value, here, fault);
        if (rc)
            return rc;
    }
    return 0;
}

int condition_parse(struct arena *arena, json_t *json, const char *at, struct condition **out,
                    struct fault *fault)
{
    const char *key;
    json_t *expected;
    if (!json_is_object(json) || json_object_size(json) == 0)
        return fault_set(fault, at, "must be an object with at least one member to compare");
    struct condition *condition = arena_alloc(arena, sizeof *condition);
    size_t most = json_object_size(json) + json_object_size(json_object_get(json, "headers"));
    struct test *tests = arena_alloc(arena, most * sizeof *tests);
    if (!condition || !tests)
        return ERR_MEMORY;
    *condition = (struct condition){tests, 0};
    json_object_foreach(json, key, expected)
    {
        char here[256];
        snprintf(here, sizeof here, "%s", at);
        json_pointer_append(here, sizeof here, key);
        int rc;
        if (strcmp(key, "headers") == 0) {
            rc = parse_headers(condition, expected, here, fault);
        } else if (key[0] != '/' || !json_pointer_valid(key)) {
            return fault_set(fault, here,
                             "a condition compares a JSON Pointer (it begins with "
                             "\"/\") or \"headers\"");
        } else {
            struct test *test = &condition->tests[condition->count++];
            *test = (struct test){.pointer = key};
            rc = value_test_parse(&test->value, expected, here, fault);
        }
        if (rc)
            return rc;
    }
    *out = condition;
    return 0;
}

static bool header_holds(const struct value_test *test, struct span header)
{
    if (test->kind != TEST_EQUAL)
        return (test->kind == TEST_PRESENT) == (header.ptr != NULL);
    if (!header.ptr || !json_is_array(test->expected))
        return header.ptr && span_is(header, json_string_value(test->expected));
    for (size_t i = 0; i < json_array_size(test->expected); i++)
        if (span_is(header, json_string_value(json_array_get(test->expected, i))))
            return true;
    return false;
}

static bool test_holds(const struct test *test, const struct mapping_input *input)
{
    return test->pointer ? value_test_holds(&test->value, input_member(input, test->pointer))
                         : header_holds(&test->value, input_header(input, test->header));
}

bool condition_holds(const struct condition *condition, const struct mapping_input *input)
{
    for (size_t i = 0; i < condition->count; i++)
        if (!test_holds(&condition->tests[i], input))
            return false;
    return true;
}

void condition_headers(const struct condition *condition,
                       void (*visit)(const char *name, void *context), void *context)
{
    for (size_t i = 0; i < condition->count; i++)
        if (condition->tests[i].header)
            visit(condition->tests[i].header, context);
}
