/* common/event/trace_context: which texts are a traceparent, and which of two an event keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/event/trace_context.h"

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT   "b7ad6b7169203331"
#define TRACE    "00-" TRACE_ID "-" PARENT "-01"
#define OTHER    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"

static const struct {
    const char *text;
    bool good;
} rows[] = {
    {TRACE, true},
    {"00-" TRACE_ID "-" PARENT "-00", true},
    {"00-" TRACE_ID "-" PARENT "-ff", true},
    {"01-" TRACE_ID "-" PARENT "-01", true}, /* a later version */
    {"cc-" TRACE_ID "-" PARENT "-01-what-it-adds", true},
    {"cc-" TRACE_ID "-" PARENT "-01.what-it-adds", false},
    {"cc-" TRACE_ID "-" PARENT "-01-what it adds", false},
    {"cc-" TRACE_ID "-" PARENT "-01-\xC3\xA9", false},
    {"00-" TRACE_ID "-" PARENT "-01-more", false}, /* version 00 has nothing more */
    {"ff-" TRACE_ID "-" PARENT "-01", false},
    {"00-" TRACE_ID "-" PARENT "-1", false},
    {"0-" TRACE_ID "-" PARENT "-01", false},
    {"00-00000000000000000000000000000000-" PARENT "-01", false},
    {"00-" TRACE_ID "-0000000000000000-01", false},
    {"00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", false},
    {"00-0af7651916cd43dd8448eb211c80319g-" PARENT "-01", false},
    {"00-" TRACE_ID "-b7ad6b716920333g-01", false},
    {"00-" TRACE_ID "-" PARENT "-0g", false},
    {"0g-" TRACE_ID "-" PARENT "-01", false},
    {"00_" TRACE_ID "-" PARENT "-01", false},
    {"00-" TRACE_ID "_" PARENT "-01", false},
    {"00-" TRACE_ID "-" PARENT "_01", false},
    {" " TRACE, false},
    {"", false},
    {"00-a-b-01", false},
};

static void what_is_a_traceparent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((trace_parent(span_of(rows[i].text)).ptr != NULL) != rows[i].good)
            fail_msg("%s", rows[i].text);
    assert_null(trace_parent((struct span){NULL, 0}).ptr);
}

static void none_is_longer_than_the_limit(void **state)
{
    (void)state;
    char text[TRACE_PARENT_LIMIT + 1];
    memset(text, 'x', sizeof text);
    memcpy(text, "cc-" TRACE_ID "-" PARENT "-01-", 56);
    assert_non_null(trace_parent((struct span){text, TRACE_PARENT_LIMIT}).ptr);
    assert_null(trace_parent((struct span){text, TRACE_PARENT_LIMIT + 1}).ptr);
}

static void one_header_counts_two_do_not(void **state)
{
    (void)state;
    const struct record_header headers[] = {{span_of("Host"), span_of("x")},
                                            {span_of("TraceParent"), span_of(TRACE)},
                                            {span_of("traceparent"), span_of(TRACE)}};
    assert_null(trace_parent_of_headers(headers, 1).ptr);
    assert_true(span_is(trace_parent_of_headers(headers, 2), TRACE));
    assert_null(trace_parent_of_headers(headers, 3).ptr);
}

static void expect_event(const char *own, const char *given, const char *kept)
{
    struct event event = {.data_kind = EVENT_DATA_NONE};
    assert_int_equal(event_set_extension(&event, "sequence", span_of("1")), 0);
    assert_int_equal(event_set_extension(&event, "zone", span_of("2")), 0);
    if (own)
        assert_int_equal(event_set_extension(&event, TRACE_PARENT, span_of(own)), 0);
    trace_event(&event, given ? span_of(given) : (struct span){NULL, 0});
    struct span found = event_extension(&event, TRACE_PARENT);
    if (kept)
        assert_true(span_is(found, kept));
    else
        assert_null(found.ptr);
    assert_int_equal(event.extension_count, kept ? 3 : 2);
    assert_true(span_is(event_extension(&event, "sequence"), "1"));
    assert_true(span_is(event_extension(&event, "zone"), "2"));
}

static void event_keeps_its_own_before_the_requests(void **state)
{
    (void)state;
    expect_event(TRACE, OTHER, TRACE);
    expect_event(TRACE, NULL, TRACE);
    expect_event(NULL, OTHER, OTHER);
    expect_event(NULL, NULL, NULL);
    expect_event("nonsense", OTHER, OTHER);
    expect_event("nonsense", NULL, NULL);
}

static void full_event_goes_without(void **state)
{
    (void)state;
    static char names[EVENT_EXTENSIONS_LIMIT][8];
    struct event event = {.data_kind = EVENT_DATA_NONE};
    for (int i = 0; i < EVENT_EXTENSIONS_LIMIT; i++) {
        snprintf(names[i], sizeof names[i], "x%02d", i);
        assert_int_equal(event_set_extension(&event, names[i], span_of("1")), 0);
    }
    trace_event(&event, span_of(TRACE));
    assert_int_equal(event.extension_count, EVENT_EXTENSIONS_LIMIT);
    assert_null(event_extension(&event, TRACE_PARENT).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_traceparent),
        cmocka_unit_test(none_is_longer_than_the_limit),
        cmocka_unit_test(one_header_counts_two_do_not),
        cmocka_unit_test(event_keeps_its_own_before_the_requests),
        cmocka_unit_test(full_event_goes_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
