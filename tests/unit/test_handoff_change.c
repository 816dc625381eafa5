/* Records of handoffs.<department>: what is a change of a handoff, and what the receiver gets; and
 * what a department says of handoffs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "services/department/handoff_change.h"
#include "services/department/handoff_message.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

#define ID   "123e4567-e89b-12d3-a456-426614174000"
#define DATA "{\"handoff\":\"" ID "\",\"amount\":9007199254740993.0}"

static struct record_header headers[16];
static size_t header_count;

static void set(const char *name, const char *value)
{
    size_t i = 0;
    while (i < header_count && !span_is(headers[i].name, name))
        i++;
    headers[i] = (struct record_header){span_of(name), span_of(value)};
    if (i == header_count)
        header_count++;
}

static struct record a_change(void)
{
    header_count = 0;
    set("ce_specversion", "1.0");
    set("ce_id", ID "/7");
    set("ce_source", "/throughline");
    set("ce_type", "throughline.handoff.opened");
    set("ce_time", "2026-01-08T10:12:07Z");
    set("ce_sequence", "7");
    set("content-type", "application/json");
    return (struct record){.key = span_of(ID),
                           .value = span_of(DATA),
                           .timestamp_ms = 1700000000123,
                           .headers = headers};
}

static struct handoff_change *read_change(struct record record)
{
    struct fault fault = {.detail = ""};
    struct handoff_change *change;
    record.header_count = header_count;
    if (handoff_change_read(&record, &change, &fault) != 0)
        fail_msg("refused: %s %s", fault.pointer, fault.detail);
    return change;
}

static void becomes_a_structured_event(void **state)
{
    (void)state;
    struct record record = a_change();
    set("ce_traceparent", TRACE);
    set("ce_customer", "email=ann%40acme.example");
    struct handoff_change *change = read_change(record);
    assert_string_equal(change->handoff_id, ID);
    assert_string_equal(change->event_id, ID "/7");
    assert_string_equal(change->type, "throughline.handoff.opened");
    assert_string_equal(change->traceparent, TRACE);
    assert_true(change->opened);
    assert_int_equal(change->sequence, 7);
    assert_int_equal(change->written_ms, 1700000000123);
    assert_string_equal(change->body,
                        "{\"specversion\":\"1.0\",\"id\":\"" ID "/7\",\"source\":\"/throughline\","
                        "\"type\":\"throughline.handoff.opened\","
                        "\"time\":\"2026-01-08T10:12:07Z\",\"datacontenttype\":"
                        "\"application/json\",\"customer\":\"email=ann%40acme.example\","
                        "\"sequence\":\"7\",\"traceparent\":\"" TRACE "\",\"data\":" DATA "}");
    assert_int_equal(change->body_len, strlen(change->body));
    assert_true(handoff_change_size(change) > change->body_len);
    handoff_change_free(change);
    handoff_change_free(NULL);
}

static void key_in_capitals_is_the_same_handoff(void **state)
{
    (void)state;
    struct record record = a_change();
    record.key = span_of("123E4567-E89B-12D3-A456-426614174000");
    struct handoff_change *change = read_change(record);
    assert_string_equal(change->handoff_id, ID);
    handoff_change_free(change);
}

static void only_openings_are_reported(void **state)
{
    (void)state;
    static const char *const types[] = {"updated", "overdue", "closed", "refused"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char type[64];
        struct record record = a_change();
        snprintf(type, sizeof type, "throughline.handoff.%s", types[i]);
        set("ce_type", type);
        struct handoff_change *change = read_change(record);
        assert_false(change->opened);
        handoff_change_free(change);
    }
}

static void refusal_needs_no_sequence(void **state)
{
    (void)state;
    struct record record = a_change();
    set("ce_type", "throughline.handoff.refused");
    set("ce_sequence", "0");
    struct handoff_change *change = read_change(record);
    assert_int_equal(change->sequence, 0);
    handoff_change_free(change);
}

static void traceparent_that_is_none_is_left_out(void **state)
{
    (void)state;
    struct record record = a_change();
    set("ce_traceparent", "00 01");
    struct handoff_change *change = read_change(record);
    assert_null(change->traceparent);
    assert_null(strstr(change->body, "traceparent"));
    handoff_change_free(change);
}

static void structured_record_is_read_too(void **state)
{
    (void)state;
    struct record record = a_change();
    header_count = 0;
    set("content-type", "application/cloudevents+json");
    record.value = span_of("{\"specversion\":\"1.0\",\"id\":\"x/1\",\"source\":\"/t\",\"type\":"
                           "\"throughline.handoff.closed\",\"time\":\"2026-01-08T10:12:07Z\","
                           "\"sequence\":\"1\",\"data\":{}}");
    struct handoff_change *change = read_change(record);
    assert_string_equal(change->event_id, "x/1");
    assert_null(change->traceparent);
    handoff_change_free(change);
}

static const struct {
    const char *name, *value; /* of a header; or of the key, the data */
    const char *pointer, *detail;
} refusals[] = {
    {"key", NULL, "", "no handoff id"},
    {"key", "", "", "no handoff id"},
    {"key", "123e4567-e89b-12d3-a456-42661417400", "", "no handoff id"},
    {"key", "123e4567-e89b-12d3-a456-42661417400g", "", "no handoff id"},
    {"key", "123e4567+e89b-12d3-a456-426614174000", "", "no handoff id"},
    {"ce_type", "sales.deal.won", "/type", "none that a department is told"},
    {"ce_type", "throughline.handoff.accept", "/type", "none that a department is told"},
    {"ce_type", "throughline.customer.stale", "/type", "none that a department is told"},
    {"ce_id", "a b", "/id", "no header can carry"},
    {"ce_id", "\xC3\xA9", "/id", "no header can carry"},
    {"ce_sequence", "", "/sequence", ""},
    {"ce_sequence", "0", "/sequence", "is missing"},
    {"ce_sequence", "-1", "/sequence", "is no number"},
    {"ce_sequence", "1e3", "/sequence", "is no number"},
    {"ce_sequence", "1234567890123456789", "/sequence", "is no number"},
    {"ce_time", "yesterday", "/time", ""},
    {"content-type", "text/plain", "/data", "no JSON"},
    {"content-type", "application/cloudevents-batch+json", "", "no batches"},
    {"data", "", "/data", "is missing"},
    {"data", "{", "", ""},
    {"data", "{\"a\":1,\"a\":2}", "/a", "twice"},
};

static void what_is_no_change_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct fault fault = {.pointer = "unset"};
        struct handoff_change *change;
        struct record record = a_change();
        if (strcmp(refusals[i].name, "key") == 0)
            record.key = span_of(refusals[i].value);
        else if (strcmp(refusals[i].name, "data") == 0)
            record.value = span_of(refusals[i].value);
        else
            set(refusals[i].name, refusals[i].value);
        record.header_count = header_count;
        int rc = handoff_change_read(&record, &change, &fault);
        if (rc != ERR_INVALID || strcmp(fault.pointer, refusals[i].pointer) != 0 ||
            !strstr(fault.detail, refusals[i].detail))
            fail_msg("%s \"%s\" gave %d \"%s\" \"%s\"", refusals[i].name, refusals[i].value, rc,
                     fault.pointer, fault.detail);
    }
}

/* For ever too large is no fault that passes: it must not be tried again. */
static void too_much_data_is_refused(void **state)
{
    (void)state;
    const size_t size = 3 * 1024 * 1024, huge = 20 * 1024 * 1024; /* more than the scratch memory */
    char *text = malloc(huge);
    struct fault fault = {.detail = ""};
    struct handoff_change *change;
    struct record record = a_change();
    assert_non_null(text);
    memset(text, 'x', size);
    text[0] = text[size - 1] = '"';
    record.value = (struct span){text, size};
    record.header_count = header_count;
    assert_int_equal(handoff_change_read(&record, &change, &fault), ERR_INVALID);
    assert_string_equal(fault.pointer, "/data");
    memset(text, ' ', huge);
    record.value.len = huge;
    assert_int_equal(handoff_change_read(&record, &change, &fault), ERR_INVALID);
    free(text);
}

/* --- messages --- */

static const char *header_of(const struct record *record, const char *name)
{
    static char text[256];
    struct span value = record_header_value(record, name);
    snprintf(text, sizeof text, "%.*s", SPAN_ARGS(value));
    return value.ptr ? text : NULL;
}

static void message_is_a_record(void **state)
{
    (void)state;
    struct arena arena;
    struct record record;
    const struct handoff_message message = {
        .department = "billing",
        .type = span_of("throughline.handoff.reassign"),
        .id = span_of("an id"),
        .handoff_id = span_of(ID),
        .by = span_of("ann \"the\" first"),
        .note = span_of("line 1\nline 2"),
        .to = span_of("service"),
        .traceparent = span_of(TRACE),
        .time_us = INT64_C(1767867127000000),
    };
    arena_init(&arena, 1 << 16);
    assert_int_equal(handoff_message_record(&message, &arena, &record), 0);
    assert_true(span_is(record.key, ID));
    assert_int_equal(record.partition, -1);
    assert_true(span_is(record.value, "{\"handoff\":\"" ID "\",\"by\":\"ann \\\"the\\\" first\","
                                      "\"note\":\"line 1\\nline 2\",\"to\":\"service\"}"));
    assert_string_equal(header_of(&record, "ce_specversion"), "1.0");
    assert_string_equal(header_of(&record, "ce_id"), "an id");
    assert_string_equal(header_of(&record, "ce_source"), "/throughline/billing");
    assert_string_equal(header_of(&record, "ce_type"), "throughline.handoff.reassign");
    assert_string_equal(header_of(&record, "ce_time"), "2026-01-08T10:12:07Z");
    assert_string_equal(header_of(&record, "ce_traceparent"), TRACE);
    assert_string_equal(header_of(&record, "content-type"), "application/json");
    assert_null(header_of(&record, "ce_customer"));
    arena_free(&arena);
}

static void report_has_its_sequence(void **state)
{
    (void)state;
    struct arena arena;
    struct record record;
    const struct handoff_message message = {.department = "billing",
                                            .type = span_of("throughline.handoff.delivered"),
                                            .id = span_of(ID "/3/delivered"),
                                            .handoff_id = span_of(ID),
                                            .sequence = 3};
    arena_init(&arena, 1 << 16);
    assert_int_equal(handoff_message_record(&message, &arena, &record), 0);
    assert_true(span_is(record.value, "{\"handoff\":\"" ID "\",\"sequence\":3}"));
    assert_null(header_of(&record, "ce_traceparent"));
    arena_free(&arena);
    arena_init(&arena, 64);
    assert_int_equal(handoff_message_record(&message, &arena, &record), ERR_MEMORY);
    arena_free(&arena);
}

static void ids_are_uuids_and_differ(void **state)
{
    (void)state;
    char a[EVENT_UID_TEXT], b[EVENT_UID_TEXT], same[EVENT_UID_TEXT];
    struct event_uid uid;
    assert_int_equal(handoff_message_id(a), 0);
    assert_int_equal(handoff_message_id(b), 0);
    assert_string_not_equal(a, b);
    assert_int_equal(event_uid_parse(span_of(a), &uid), 0);
    event_uid_text(&uid, same);
    assert_string_equal(a, same);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes_a_structured_event),
        cmocka_unit_test(key_in_capitals_is_the_same_handoff),
        cmocka_unit_test(only_openings_are_reported),
        cmocka_unit_test(refusal_needs_no_sequence),
        cmocka_unit_test(traceparent_that_is_none_is_left_out),
        cmocka_unit_test(structured_record_is_read_too),
        cmocka_unit_test(what_is_no_change_is_refused),
        cmocka_unit_test(too_much_data_is_refused),
        cmocka_unit_test(message_is_a_record),
        cmocka_unit_test(report_has_its_sequence),
        cmocka_unit_test(ids_are_uuids_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
