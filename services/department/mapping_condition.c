#include "services/department/mapping_condition.h"

#include <stdio.h>

#include "common/base/config.h"
#include "common/json/json_pointer.h"

enum test_kind { TEST_EQUAL, TEST_PRESENT, TEST_ABSENT };

struct test {
    const char *pointer; /* NULL: a header */
    const char *header;
    enum test_kind kind;
    json_t *expected; /* a constant, or a list of them */
};

struct condition {
    struct test *tests;
    size_t count;
};

static bool is_constant(json_t *json)
{
    return json_is_string(json) || json_is_integer(json) || json_is_boolean(json) ||
           json_is_null(json);
}

static int check_expected(json_t *expected, bool header, const char *at, struct fault *fault)
{
    size_t i;
    json_t *one;
    if (header && !json_is_array(expected) && !json_is_string(expected))
        return fault_set(fault, at, "must be a text, a list of texts or {\"present\": true}");
    if (!json_is_array(expected) && !is_constant(expected))
        return fault_set(fault, at,
                         "must be a string, a whole number, true, false or null, a list "
                         "of those, or {\"present\": true}");
    if (json_is_array(expected) && json_array_size(expected) == 0)
        return fault_set(fault, at, "must name at least one constant");
    json_array_foreach(expected, i, one)
    {
        if (header ? !json_is_string(one) : !is_constant(one))
            return fault_set(fault, at, "element %zu must be a %s", i,
                             header ? "string" : "string, a whole number, true, false or null");
    }
    return 0;
}

static int parse_test(struct test *test, json_t *expected, const char *at, struct fault *fault)
{
    static const char *const keys[] = {"present", NULL};
    if (!json_is_object(expected)) {
        test->kind = TEST_EQUAL;
        test->expected = expected;
        return check_expected(expected, !test->pointer, at, fault);
    }
    int rc = config_only_keys(expected, at, keys, fault);
    if (rc)
        return rc;
    json_t *present = json_object_get(expected, "present");
    if (!json_is_boolean(present))
        return fault_set(fault, at, "must have \"present\": true or false");
    test->kind = json_is_true(present) ? TEST_PRESENT : TEST_ABSENT;
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
        int rc = parse_test(test, expected, here, fault);
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
            rc = parse_test(test, expected, here, fault);
        }
        if (rc)
            return rc;
    }
    *out = condition;
    return 0;
}

static bool equals(const struct test *test, json_t *member, struct span header, json_t *constant)
{
    if (test->pointer)
        return member && json_equal(member, constant);
    return header.ptr && span_is(header, json_string_value(constant));
}

static bool test_holds(const struct test *test, const struct mapping_input *input)
{
    json_t *member = test->pointer ? input_member(input, test->pointer) : NULL;
    struct span header = test->pointer ? (struct span){0} : input_header(input, test->header);
    if (test->kind != TEST_EQUAL)
        return (test->kind == TEST_PRESENT) == (header.ptr || input_has_value(member));
    if (!json_is_array(test->expected))
        return equals(test, member, header, test->expected);
    for (size_t i = 0; i < json_array_size(test->expected); i++)
        if (equals(test, member, header, json_array_get(test->expected, i)))
            return true;
    return false;
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
