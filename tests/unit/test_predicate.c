/* Conditions on JSON values: what holds, what does not, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json/json_pointer.h"
#include "common/json/predicate.h"

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return json;
}

static void test_holds(void **state)
{
    (void)state;
    static const struct {
        const char *predicate, *value;
        bool holds;
    } cases[] = {
        {"{\"/a\": \"x\"}", "{\"a\": \"x\"}", true},
        {"{\"/a\": \"x\"}", "{\"a\": \"y\"}", false},
        {"{\"/a\": \"x\"}", "{}", false},
        {"{\"/a\": null}", "{\"a\": null}", true},
        {"{\"/a\": null}", "{}", false},
        {"{\"/a\": 1}", "{\"a\": 1}", true},
        {"{\"/a\": 1}", "{\"a\": true}", false},
        {"{\"/a\": [1, \"x\"]}", "{\"a\": \"x\"}", true},
        {"{\"/a\": [1, \"x\"]}", "{\"a\": [1, \"x\"]}", false},
        {"{\"/a/0/b\": true}", "{\"a\": [{\"b\": true}]}", true},
        {"{\"/a\": {\"present\": true}}", "{\"a\": 0}", true},
        {"{\"/a\": {\"present\": true}}", "{\"a\": \"\"}", false},
        {"{\"/a\": {\"present\": true}}", "{\"a\": null}", false},
        {"{\"/a\": {\"present\": false}}", "{\"a\": null}", true},
        {"{\"/a\": {\"present\": false}}", "{\"a\": 1}", false},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": 1}", true},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": 0.99}", false},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": 1e300}", true},
        {"{\"/a\": {\"min\": 1, \"max\": 2}}", "{\"a\": 2.5}", false},
        {"{\"/a\": {\"max\": 2}}", "{\"a\": -7}", true},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": \"12.50\"}", true},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": \"0.50\"}", false},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": \"12 euros\"}", false},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": \"\"}", false},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": \"inf\"}", false},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": \"0x10\"}", false},
        {"{\"/a\": {\"min\": 1}}", "{\"a\": null}", false},
        {"{\"/a\": {\"min\": 1}}", "{}", false},
        {"{\"/a\": {\"type\": \"number\"}}", "{\"a\": 1}", true},
        {"{\"/a\": {\"type\": \"number\"}}", "{\"a\": 1.5}", true},
        {"{\"/a\": {\"type\": \"number\"}}", "{\"a\": \"1\"}", false},
        {"{\"/a\": {\"type\": \"boolean\"}}", "{\"a\": false}", true},
        {"{\"/a\": {\"type\": \"array\"}}", "{\"a\": []}", true},
        {"{\"/a\": {\"type\": \"array\"}}", "{}", false},
        {"{\"/a\": 1, \"/b\": 2}", "{\"a\": 1, \"b\": 2}", true},
        {"{\"/a\": 1, \"/b\": 2}", "{\"a\": 1, \"b\": 3}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        arena_init(&arena, 4096);
        json_t *json = parse(cases[i].predicate), *value = parse(cases[i].value);
        struct predicate *predicate = NULL;
        struct fault fault = {.detail = ""};
        int rc = predicate_parse(&arena, json, "/if", &predicate, &fault);
        if (rc != 0 || predicate_holds(predicate, value) != cases[i].holds)
            fail_msg("%s of %s: %d %s", cases[i].predicate, cases[i].value, rc, fault.detail);
        json_decref(value);
        json_decref(json);
        arena_free(&arena);
    }
    assert_true(predicate_holds(NULL, NULL));
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *predicate, *pointer, *detail;
    } cases[] = {
        {"[]", "/if", "must be an object with at least one member"},
        {"{}", "/if", "must be an object with at least one member"},
        {"{\"a\": 1}", "/if/a", "begins with \"/\""},
        {"{\"/a~2\": 1}", "/if/~1a~02", "JSON Pointer"},
        {"{\"/a\": 1.5}", "/if/~1a", "a whole number"},
        {"{\"/a\": []}", "/if/~1a", "at least one constant"},
        {"{\"/a\": [1, {}]}", "/if/~1a", "element 1"},
        {"{\"/a\": {}}", "/if/~1a", "must have \"present\""},
        {"{\"/a\": {\"present\": 1}}", "/if/~1a", "true or false"},
        {"{\"/a\": {\"present\": true, \"min\": 1}}", "/if/~1a", "must have"},
        {"{\"/a\": {\"min\": \"1\"}}", "/if/~1a", "must be numbers"},
        {"{\"/a\": {\"min\": 2, \"max\": 1}}", "/if/~1a", "holds never"},
        {"{\"/a\": {\"type\": \"integer\"}}", "/if/~1a", "types are"},
        {"{\"/a\": {\"most\": 1}}", "/if/~1a/most", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        arena_init(&arena, 4096);
        json_t *json = parse(cases[i].predicate);
        struct predicate *predicate = NULL;
        struct fault fault = {.detail = ""};
        assert_int_equal(predicate_parse(&arena, json, "/if", &predicate, &fault), ERR_INVALID);
        assert_string_equal(fault.pointer, cases[i].pointer);
        if (!strstr(fault.detail, cases[i].detail))
            fail_msg("%s: %s", cases[i].predicate, fault.detail);
        json_decref(json);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_holds),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
