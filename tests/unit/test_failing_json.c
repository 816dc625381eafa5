/* Trees of JSON texts: the same as jansson's own, and with every allocation failed in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/log.h"
#include "common/json/json_pointer.h"
#include "tests/unit/failing.h"

static const char *const texts[] = {
    "{\"id\": \"a string that is longer than a small buffer\", \"n\": [1, -2.5e3, true, null]}",
    "{\"a\\\"b\\u00e9\\ud83d\\ude00 with \\\\ \\/ \\b\\f\\n\\r\\t escapes\": \"x\\ny\", \"\": {}}",
    "[9007199254740993, 1234567890123456789, -9223372036854775808, 12345678901.234e5, -0, 0.0]",
    "[[], {}, [[[{\"a\": [{}]}]]], \"\", \"J\xc3\xbcrgen\", false , { \"b\" : 1 } ]",
    " \"a value alone\" ",
    "12345678901234567",
    "-1.5",
    "null",
    "\xEF\xBB\xBF{\"mark\": 1}",
    "{\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9,\"10\":10}",
};

static json_t *expected(const char *text)
{
    struct span body = json_without_mark(span_of(text));
    json_error_t error;
    json_t *json = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    assert_non_null(json);
    return json;
}

static void trees_are_jansson_s(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fault fault = {0};
        json_t *json, *wanted = expected(texts[i]);
        assert_int_equal(json_read(span_of(texts[i]), &json, NULL, &fault), 0);
        if (!json_equal(json, wanted))
            fail_msg("another tree than jansson's: %s", texts[i]);
        json_decref(json);
        json_decref(wanted);
    }
}

static void what_jansson_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pointer, *detail;
    } cases[] = {
        {"{\"a\": {\"b\": 1, \"b\": 2}}", "/a/b", "twice"},
        {"{\"b\": 1, \"\\u0062\": 2}", "/b", "twice"},
        {"[1, 9223372036854775808]", "/1", "too large"},
        {"{\"x\": -9223372036854775809}", "/x", "too large"},
        {"{\"x\": 1e350}", "/x", "too large"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault = {0};
        json_t *json;
        assert_int_equal(json_read(span_of(cases[i].text), &json, NULL, &fault), ERR_INVALID);
        assert_string_equal(fault.pointer, cases[i].pointer);
        assert_non_null(strstr(fault.detail, cases[i].detail));
    }
}

static void read_once(void *context)
{
    const char *text = context;
    struct fault fault = {0};
    json_t *json = NULL;
    int rc = json_read(span_of(text), &json, NULL, &fault);
    failing_disarm();
    if (rc != 0 && rc != ERR_MEMORY)
        fail_msg("%s: %d for %s", failing_point(), rc, text);
    if (rc == ERR_MEMORY && !failing_struck())
        fail_msg("no memory, but nothing failed: %s", text);
    if (rc != 0)
        return;
    json_t *wanted = expected(text);
    if (!json_equal(json, wanted))
        fail_msg("%s: another tree for %s", failing_point(), text);
    json_decref(json);
    json_decref(wanted);
}

static void allocations(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s", texts[i]);
        failed += failing_each(texts[i], FAILING_ALLOCATION, read_once, text);
    }
    assert_true(failed >= 50); /* else nothing was failed, and nothing shown */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_jansson_s),
        cmocka_unit_test(what_jansson_cannot_hold_is_refused),
        cmocka_unit_test(allocations),
    };
    failing_init();
    log_init("test", LOG_LEVEL_ERROR);
    return failing_report(cmocka_run_group_tests(tests, NULL, NULL));
}
