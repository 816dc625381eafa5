/* What of the outbox may go to Kafka, and as what; until when may be judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/event/system_department.h"
#include "common/event/system_events.h"
#include "common/event/template.h"
#include "services/aggregator/judgement.h"
#include "services/aggregator/relay_record.h"
#include "services/aggregator/relay_window.h"

static struct relay_window window;

static void forget(struct relay_row *row)
{
    (void)row;
}

static void begin(void)
{
    window = (struct relay_window){.count = 0};
}

static void add(int64_t id, const char *topic, uint64_t chain, bool strict)
{
    assert_non_null(
        relay_window_add(&window, id, relay_window_topic(&window, topic), chain, strict));
}

/* Sends all that may go at that moment; their ids, as text: "1 2 5". */
static const char *go(int64_t now_ms)
{
    static char text[4096];
    size_t from = 0, at = 0;
    struct relay_row *row;
    text[0] = '\0';
    while ((row = relay_window_next(&window, &from, now_ms))) {
        row->state = RELAY_FLIES;
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld", at ? " " : "",
                               (long long)row->id);
    }
    return text;
}

static const char *done(void)
{
    static char text[4096];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < window.count; i++)
        if (relay_window_done(&window, i))
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld", at ? " " : "",
                                   (long long)window.rows[i].id);
    return text;
}

static void test_a_strict_chain_goes_one_by_one(void **state)
{
    (void)state;
    begin();
    add(1, "handoffs.sales", 10, true);
    add(2, "handoffs.sales", 10, true);
    add(3, "handoffs.sales", 11, true);
    assert_string_equal(go(0), "1 3");
    assert_string_equal(go(0), "");
    relay_window_delivered(&window, 3);
    assert_string_equal(go(0), "");
    assert_string_equal(done(), "3");
    relay_window_delivered(&window, 1);
    assert_string_equal(go(0), "2");
    relay_window_delivered(&window, 2);
    assert_string_equal(done(), "1 2 3");
}

static void test_from_the_first_that_failed_all_go_again(void **state)
{
    (void)state;
    begin();
    for (int64_t id = 1; id <= 4; id++)
        add(id, SYSTEM_TOPIC, 10, false);
    add(5, SYSTEM_TOPIC, 11, false);
    assert_string_equal(go(0), "1 2 3 4 5");
    relay_window_delivered(&window, 1);
    relay_window_delivered(&window, 3);
    relay_window_failed(&window, 2, 0, false);
    assert_string_equal(done(), "1");
    assert_string_equal(go(RELAY_RETRY_MS), ""); /* 4 still flies, and would come before */
    relay_window_delivered(&window, 4);
    relay_window_delivered(&window, 5);
    assert_string_equal(done(), "1 5");
    assert_string_equal(go(RELAY_RETRY_MS - 1), "");
    assert_string_equal(go(RELAY_RETRY_MS), "2 3 4");
    for (int64_t id = 2; id <= 4; id++)
        relay_window_delivered(&window, id);
    assert_string_equal(done(), "1 2 3 4 5");
}

static void test_a_failing_topic_keeps_one_row_and_delays_no_other(void **state)
{
    (void)state;
    begin();
    for (int64_t id = 1; id <= 5; id++)
        add(id, "handoffs.away", (uint64_t)id, true);
    add(6, "handoffs.sales", 6, true);
    assert_string_equal(go(0), "1 2 3 4 5 6");
    for (int64_t id = 2; id <= 5; id++)
        relay_window_failed(&window, id, 0, false);
    assert_string_equal(go(RELAY_RETRY_MOST), ""); /* one of it still flies */
    relay_window_sweep(&window, NULL, 0, forget);
    assert_int_equal(window.count, 2); /* what flies stays, and counts as the one */
    relay_window_failed(&window, 1, 0, false);
    add(7, "handoffs.sales", 7, true);
    assert_string_equal(go(1000), "1 7");
    relay_window_delivered(&window, 1);
    assert_false(window.topics[0].failing);
    add(8, "handoffs.away", 8, true);
    assert_string_equal(go(1000), "8");
}

static void test_waits_grow_and_a_refused_row_holds_its_chain_alone(void **state)
{
    (void)state;
    begin();
    add(1, "handoffs.sales", 1, true);
    int64_t now = 0;
    for (int64_t wait = RELAY_RETRY_MS; wait < 4 * RELAY_RETRY_MOST; wait *= 2) {
        int64_t expected = wait < RELAY_RETRY_MOST ? wait : RELAY_RETRY_MOST;
        assert_string_equal(go(now), "1");
        relay_window_failed(&window, 1, now, false);
        assert_string_equal(go(now + expected - 1), "");
        now += expected;
    }
    begin();
    add(1, "handoffs.sales", 1, true);
    add(2, "handoffs.sales", 1, true);
    add(3, "handoffs.sales", 3, true);
    assert_string_equal(go(0), "1 3");
    relay_window_failed(&window, 1, 0, true);
    relay_window_delivered(&window, 3);
    add(4, "handoffs.sales", 4, true);
    assert_string_equal(go(RELAY_RETRY_MOST - 1), "4");
    assert_string_equal(go(RELAY_RETRY_MOST), "1");
}

static void test_what_goes_again_waits_for_what_was_sent_behind_it(void **state)
{
    (void)state;
    begin();
    add(1, SYSTEM_TOPIC, 1, false);
    add(2, SYSTEM_TOPIC, 1, false);
    assert_string_equal(go(0), "1 2");
    relay_window_failed(&window, 1, 0, true); /* which says nothing of its topic */
    assert_string_equal(go(RELAY_RETRY_MOST), "");
    relay_window_delivered(&window, 2);
    assert_string_equal(done(), "");
    assert_string_equal(go(RELAY_RETRY_MOST), "1 2");
}

static void test_the_window_and_its_topics_are_bounded(void **state)
{
    (void)state;
    begin();
    for (int64_t id = 1; id <= RELAY_ROWS_LIMIT; id++)
        add(id, "handoffs.sales", (uint64_t)id, true);
    assert_null(relay_window_add(&window, 0, 0, 0, true));
    assert_int_equal(relay_window_topic(&window, "handoffs.sales"), 0);
    for (int i = 1; i < RELAY_TOPICS_LIMIT; i++) {
        char name[32];
        snprintf(name, sizeof name, "t%d", i);
        assert_int_equal(relay_window_topic(&window, name), i);
    }
    assert_int_equal(relay_window_topic(&window, "one more"), -1);
    const int64_t deleted[] = {1, 3};
    relay_window_sweep(&window, deleted, 2, forget);
    assert_int_equal(window.count, RELAY_ROWS_LIMIT - 2);
    assert_int_equal(window.rows[0].id, 2);
    assert_int_equal(window.rows[1].id, 4);
}

static const struct outbox_row stale = {
    .topic = SYSTEM_TOPIC,
    .key = "email=a",
    .type = TYPE_CUSTOMER_STALE,
    .event_id = "stale/1",
    .time = "2026-01-01T00:00:00Z",
    .customer = "email=a",
    .data = "{\"stale_after\": \"90 days\"}",
};

static void assert_header(const struct record *record, const char *name, const char *value)
{
    struct span found = record_header_value(record, name);
    if (!value) {
        assert_null(found.ptr);
        return;
    }
    assert_non_null(found.ptr);
    assert_int_equal(found.len, strlen(value));
    assert_memory_equal(found.ptr, value, found.len);
}

static void test_records(void **state)
{
    (void)state;
    struct arena arena;
    struct record_header headers[RELAY_HEADERS];
    struct record record;
    arena_init(&arena, 4096);
    assert_int_equal(relay_record(&stale, &arena, headers, &record), 0);
    assert_header(&record, "ce_id", "stale/1");
    assert_header(&record, "ce_source", "/throughline");
    assert_header(&record, "ce_facts", "");
    assert_header(&record, "ce_summary", "Silent for 90 days");
    assert_header(&record, "ce_sequence", NULL);
    assert_header(&record, "ce_traceparent", NULL);
    struct outbox_row row = stale;
    row.topic = "handoffs.sales";
    row.type = TYPE_HANDOFF_OPENED;
    row.sequence = "3";
    row.traceparent = "00-1";
    assert_int_equal(relay_record(&row, &arena, headers, &record), 0);
    assert_header(&record, "ce_facts", NULL);
    assert_header(&record, "ce_summary", NULL);
    assert_header(&record, "ce_sequence", "3");
    assert_header(&record, "ce_traceparent", "00-1");
    row.topic = SYSTEM_TOPIC;
    assert_int_equal(relay_record(&row, &arena, headers, &record), 0);
    assert_true(record.header_count <= RELAY_HEADERS);
    arena_free(&arena);
}

static void test_the_systems_vocabulary(void **state)
{
    (void)state;
    const struct department *department = system_department();
    for (const char *const *name = system_events_said(); *name; name++) {
        const struct event_type *type;
        assert_int_equal(department_type(department, span_of(*name), &type, NULL), 0);
        assert_non_null(type);
        assert_false(type->touch);
        assert_int_equal(type->money, MONEY_NONE);
        assert_int_equal(template_check(type->summary, NULL), 0);
    }
    static const char *const others[] = {TYPE_HANDOFF_ACCEPT, TYPE_HANDOFF_REFUSED,
                                         "throughline.x.y", "sales.deal.won", NULL};
    for (const char *const *name = others; *name; name++) {
        const struct event_type *type;
        assert_int_equal(department_type(department, span_of(*name), &type, NULL), ERR_INVALID);
    }
}

/* A cluster of one topic with two partitions. */
static struct kafka_cluster cluster(int64_t high0, int64_t high1)
{
    struct kafka_cluster made = {
        .brokers = 1, .partitions = calloc(2, sizeof *made.partitions), .count = 2};
    made.partitions[0] = (struct kafka_watermarks){"events.sales", 0, 0, high0};
    made.partitions[1] = (struct kafka_watermarks){"events.sales", 1, 0, high1};
    return made;
}

static struct judgement judgement;

/* The partition that is behind, -1: none. next1 -1: nobody reads the second partition. */
static int look(int64_t now_us, struct kafka_cluster made, int64_t next0, int64_t next1)
{
    const struct kafka_watermarks *behind;
    const struct judgement_position positions[] = {{"events.sales", 0, next0},
                                                   {"events.sales", 1, next1}};
    judgement_look(&judgement, now_us, &made, positions, next1 < 0 ? 1 : 2, &behind);
    assert_null(made.partitions);
    return behind ? behind->partition : -1;
}

static void test_judgement_moves_when_all_is_read(void **state)
{
    (void)state;
    judgement = (struct judgement){0};
    assert_int_equal(look(100, cluster(5, 5), 5, 4), 1);
    assert_int_equal(judgement.until_us, 0);
    assert_int_equal(look(200, cluster(9, 9), 7, 4), 1); /* the first look is still waited for */
    assert_int_equal(look(300, cluster(12, 12), 9, 6), 0);
    assert_int_equal(judgement.until_us, 100); /* and is reached, though more has come */
    assert_int_equal(look(400, cluster(12, 12), 12, 11), 1);
    assert_int_equal(judgement.until_us, 100);
    assert_int_equal(look(500, cluster(12, 12), 12, 12), -1);
    assert_int_equal(judgement.until_us, 500);
    assert_int_equal(look(450, cluster(12, 12), 12, 12), -1);
    assert_int_equal(judgement.until_us, 450); /* the clock was put back */
    judgement_free(&judgement);
}

static void test_a_partition_that_nobody_reads_holds_judgement_back(void **state)
{
    (void)state;
    judgement = (struct judgement){0};
    assert_int_equal(look(100, cluster(5, 0), 5, -1), -1); /* it has nothing */
    assert_int_equal(judgement.until_us, 100);
    assert_int_equal(look(200, cluster(5, 1), 5, -1), 1);
    assert_int_equal(look(300, cluster(5, 1), 5, -1), 1);
    assert_int_equal(judgement.until_us, 100);
    judgement_free(&judgement);
}

static void test_a_topic_made_anew_is_not_waited_for(void **state)
{
    (void)state;
    judgement = (struct judgement){0};
    assert_int_equal(look(100, cluster(50, 50), 40, 50), 0);
    assert_int_equal(look(200, cluster(3, 50), 2, 50), 0); /* its end moved back */
    assert_int_equal(judgement.until_us, 0);
    assert_int_equal(look(300, cluster(4, 50), 3, 50), 0);
    assert_int_equal(judgement.until_us, 200);
    judgement_free(&judgement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_strict_chain_goes_one_by_one),
        cmocka_unit_test(test_from_the_first_that_failed_all_go_again),
        cmocka_unit_test(test_a_failing_topic_keeps_one_row_and_delays_no_other),
        cmocka_unit_test(test_waits_grow_and_a_refused_row_holds_its_chain_alone),
        cmocka_unit_test(test_what_goes_again_waits_for_what_was_sent_behind_it),
        cmocka_unit_test(test_the_window_and_its_topics_are_bounded),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_the_systems_vocabulary),
        cmocka_unit_test(test_judgement_moves_when_all_is_read),
        cmocka_unit_test(test_a_partition_that_nobody_reads_holds_judgement_back),
        cmocka_unit_test(test_a_topic_made_anew_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
