/* Handoffs count once their transaction was committed; lag by topic, in records and seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/aggregator/handoff_metrics.h"
#include "services/aggregator/topic_lag.h"

#define SECOND INT64_C(1000000)

static int64_t opened(void)
{
    return metric_value(
        metric_counter("throughline_aggregator_handoffs_opened_total", NULL, "help"));
}

static int64_t closed(const char *state)
{
    char label[40];
    snprintf(label, sizeof label, "state=\"%s\"", state);
    return metric_value(
        metric_counter("throughline_aggregator_handoffs_closed_total", label, "help"));
}

static void what_is_rolled_back_does_not_count(void **state)
{
    (void)state;
    handoff_metrics_opened(7); /* a command, which has no metrics */
    handoff_metrics_committed();
    handoff_metrics_init();
    handoff_metrics_begin();
    handoff_metrics_opened(2);
    handoff_metrics_closed(HANDOFF_DECLINED);
    assert_int_equal(opened(), 0);
    handoff_metrics_begin(); /* that was rolled back: this is the next try */
    handoff_metrics_opened(3);
    handoff_metrics_closed(HANDOFF_FINISHED);
    handoff_metrics_closed(HANDOFF_FINISHED);
    handoff_metrics_committed();
    assert_int_equal(opened(), 3);
    assert_int_equal(closed("done"), 2);
    assert_int_equal(closed("declined"), 0);
    handoff_metrics_committed(); /* once */
    assert_int_equal(opened(), 3);
}

static int64_t gauge(const char *name, const char *topic)
{
    char label[40];
    snprintf(label, sizeof label, "topic=\"%s\"", topic);
    return metric_value(metric_gauge(name, label, "help"));
}

#define assert_lag(topic, in_records, in_seconds)                                                  \
    do {                                                                                           \
        assert_int_equal(gauge("throughline_lag_records", topic), in_records);                     \
        assert_int_equal(gauge("throughline_lag_seconds", topic), in_seconds);                     \
    } while (0)

static void lag_is_of_each_topic(void **state)
{
    (void)state;
    static const char *const topics[] = {"events.a", "events.b", NULL};
    struct kafka_watermarks ends[] = {
        {"events.a", 0, 5, 10}, {"events.a", 1, 0, 4}, {"events.b", 0, 2, 7}};
    struct judgement_position read[] = {{"events.a", 0, 10}, {"events.a", 1, 4}};
    const struct kafka_cluster cluster = {1, ends, 3};
    struct topic_lag *lags = topic_lag_new(topics);
    assert_non_null(lags);

    topic_lag_look(lags, 100 * SECOND, &cluster, read, 2);
    assert_lag("events.a", 0, 0);
    assert_lag("events.b", 5, 0); /* nobody has read it: what Kafka still has */

    ends[0].high = 30; /* a is written on, and read on slowly */
    topic_lag_look(lags, 110 * SECOND, &cluster, read, 2);
    assert_lag("events.a", 20, 10);
    assert_lag("events.b", 5, 10);
    ends[0].high = 40;
    read[0].next = 29;
    topic_lag_look(lags, 115 * SECOND, &cluster, read, 2);
    assert_lag("events.a", 11, 15);
    read[0].next = 30; /* as far as it was at second 110 */
    topic_lag_look(lags, 120 * SECOND, &cluster, read, 2);
    assert_lag("events.a", 10, 10);

    topic_lag_look(lags, 130 * SECOND, NULL, NULL, 0); /* the brokers do not tell */
    assert_lag("events.a", 10, 20);
    assert_lag("events.b", 5, 30);

    topic_lag_clear(lags);
    assert_lag("events.a", 0, 0);
    assert_lag("events.b", 0, 0);
    topic_lag_free(lags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_rolled_back_does_not_count),
        cmocka_unit_test(lag_is_of_each_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
