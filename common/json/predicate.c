#include "common/json/predicate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/config.h"
#include "common/json/json_pointer.h"

struct predicate {
    struct member {
        const char *pointer;
        struct value_test test;
    } * members;
    size_t count;
};

static const struct {
    const char *name, *word;
    json_type type;
} types[] = {{"string", "a string", JSON_STRING},
             {"number", "a number", JSON_REAL},
             {"boolean", "true or false", JSON_TRUE},
             {"object", "an object", JSON_OBJECT},
             {"array", "an array", JSON_ARRAY}};

bool json_type_named(const char *name, json_type *type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *type = types[i].type;
            return true;
        }
    }
    return false;
}

const char *json_type_word(json_type type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].word;
    return "null";
}

static bool is_constant(json_t *json)
{
    return json_is_string(json) || json_is_integer(json) || json_is_boolean(json) ||
           json_is_null(json);
}

static int parse_constants(struct value_test *test, json_t *json, const char *at,
                           struct fault *fault)
{
    size_t i;
    json_t *one;
    test->kind = TEST_EQUAL;
    test->expected = json;
    if (!json_is_array(json) && !is_constant(json))
        return fault_set(fault, at,
                         "must be a string, a whole number, true, false or null, a list of those, "
                         "or an object with \"present\", \"min\", \"max\" or \"type\"");
    if (json_is_array(json) && json_array_size(json) == 0)
        return fault_set(fault, at, "must name at least one constant");
    json_array_foreach(json, i, one)
    {
        if (!is_constant(one))
            return fault_set(
                fault, at, "element %zu must be a string, a whole number, true, false or null", i);
    }
    return 0;
}

static int parse_bound(json_t *bound, double otherwise, const char *at, double *out,
                       struct fault *fault)
{
    *out = bound ? json_number_value(bound) : otherwise;
    if (bound && !json_is_number(bound))
        return fault_set(fault, at, "\"min\" and \"max\" must be numbers");
    return 0;
}

static int parse_bounds(struct value_test *test, json_t *json, const char *at, struct fault *fault)
{
    test->kind = TEST_BOUNDS;
    int rc = parse_bound(json_object_get(json, "min"), -INFINITY, at, &test->min, fault);
    if (rc == 0)
        rc = parse_bound(json_object_get(json, "max"), INFINITY, at, &test->max, fault);
    if (rc == 0 && test->min > test->max)
        return fault_set(fault, at, "holds never: \"min\" is more than \"max\"");
    return rc;
}

int value_test_parse(struct value_test *test, json_t *json, const char *at, struct fault *fault)
{
    static const char *const keys[] = {"present", "min", "max", "type", NULL};
    *test = (struct value_test){0};
    if (!json_is_object(json))
        return parse_constants(test, json, at, fault);
    int rc = config_only_keys(json, at, keys, fault);
    if (rc != 0)
        return rc;
    json_t *present = json_object_get(json, "present"), *type = json_object_get(json, "type");
    bool bounds = json_object_get(json, "min") || json_object_get(json, "max");
    if ((present != NULL) + (type != NULL) + bounds != 1)
        return fault_set(fault, at, "must have \"present\", \"type\", or \"min\" and/or \"max\"");
    if (bounds)
        return parse_bounds(test, json, at, fault);
    if (type) {
        test->kind = TEST_TYPE;
        if (!json_is_string(type) || !json_type_named(json_string_value(type), &test->type))
            return fault_set(
                fault, at, "types are \"string\", \"number\", \"boolean\", \"object\", \"array\"");
        return 0;
    }
    if (!json_is_boolean(present))
        return fault_set(fault, at, "must have \"present\": true or false");
    test->kind = json_is_true(present) ? TEST_PRESENT : TEST_ABSENT;
    return 0;
}

static bool is_present(json_t *value)
{
    return value && !json_is_null(value) &&
           !(json_is_string(value) && json_string_length(value) == 0);
}

static bool is_one_of(json_t *value, json_t *expected)
{
    if (!value || !json_is_array(expected))
        return value && json_equal(value, expected);
    for (size_t i = 0; i < json_array_size(expected); i++)
        if (json_equal(value, json_array_get(expected, i)))
            return true;
    return false;
}

/* Text counts too: an amount may come as text, so that no reader rounds it. */
static bool is_within(json_t *value, double min, double max)
{
    double number = json_number_value(value);
    if (json_is_string(value)) {
        char *end;
        const char *text = json_string_value(value);
        if (strspn(text, "+-0123456789.eE") != strlen(text) || *text == '\0')
            return false;
        number = strtod(text, &end);
        if (*end != '\0')
            return false;
    } else if (!json_is_number(value)) {
        return false;
    }
    return number >= min && number <= max;
}

static bool is_of_type(json_t *value, json_type type)
{
    if (!value)
        return false;
    if (type == JSON_REAL)
        return json_is_number(value);
    return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

bool value_test_holds(const struct value_test *test, json_t *value)
{
    switch (test->kind) {
    case TEST_EQUAL:
        return is_one_of(value, test->expected);
    case TEST_PRESENT:
        return is_present(value);
    case TEST_ABSENT:
        return !is_present(value);
    case TEST_BOUNDS:
        return is_within(value, test->min, test->max);
    case TEST_TYPE:
        return is_of_type(value, test->type);
    }
    return false;
}

int predicate_parse(struct arena *arena, json_t *json, const char *at, struct predicate **out,
                    struct fault *fault)
{
    const char *pointer;
    json_t *expected;
    if (!json_is_object(json) || json_object_size(json) == 0)
        return fault_set(fault, at, "must be an object with at least one member to compare");
    struct predicate *predicate = arena_alloc(arena, sizeof *predicate);
    struct member *members = arena_alloc(arena, json_object_size(json) * sizeof *members);
    if (!predicate || !members)
        return ERR_MEMORY;
    *predicate = (struct predicate){members, 0};
    json_object_foreach(json, pointer, expected)
    {
        char here[256];
        snprintf(here, sizeof here, "%s", at);
        json_pointer_append(here, sizeof here, pointer);
        if (pointer[0] != '/' || !json_pointer_valid(pointer))
            return fault_set(fault, here,
                             "a condition compares a JSON Pointer (it begins with \"/\")");
        struct member *member = &members[predicate->count++];
        member->pointer = pointer;
        int rc = value_test_parse(&member->test, expected, here, fault);
        if (rc != 0)
            return rc;
    }
    *out = predicate;
    return 0;
}

bool predicate_holds(const struct predicate *predicate, json_t *root)
{
    for (size_t i = 0; predicate && i < predicate->count; i++) {
        const struct member *member = &predicate->members[i];
        if (!value_test_holds(&member->test, json_pointer_get(root, member->pointer)))
            return false;
    }
    return true;
}

const json_t *predicate_constants(const struct predicate *predicate, const char *pointer)
{
    for (size_t i = 0; predicate && i < predicate->count; i++) {
        const struct member *member = &predicate->members[i];
        if (member->test.kind == TEST_EQUAL && strcmp(member->pointer, pointer) == 0)
            return member->test.expected;
    }
    return NULL;
}

size_t predicate_size(const struct predicate *predicate)
{
    return predicate ? predicate->count : 0;
}
