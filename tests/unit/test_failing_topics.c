/* Making topics and looking at them, with every call failed in turn: what is told is what is there,
 * nothing is left behind, and what passes is tried again. */
#include <string.h>

#include "common/kafka/kafka_topics.h"
#include "tests/unit/failing.h"
#include "tests/unit/failing_topics.h"
#include "tests/unit/kafka_mock.h"

#define WAIT_MS 3000
#define COUNT   3

static struct kafka_mock mock;
static int complete, told;

static const struct kafka_topic_plan plan = {
    .partitions = 4, .retention_ms = 604800000, .max_message_bytes = 2097152, .min_insync = 1};

static void begin(struct kafka_topic topics[COUNT])
{
    static const char *const names[COUNT] = {"events.sales", "handoffs.sales",
                                             "events.throughline"};
    memset(topics, 0, COUNT * sizeof *topics);
    for (size_t i = 0; i < COUNT; i++)
        snprintf(topics[i].name, sizeof topics[i].name, "%s", names[i]);
}

static bool as_planned(const struct kafka_topic *topic)
{
    return topic->exists && topic->partitions == 4 && topic->leaderless == 0 &&
           topic->replicas == 1 && topic->settings_known && topic->retention_ms == 604800000 &&
           topic->max_message_bytes == 2097152 && topic->min_insync == 1 &&
           strcmp(topic->cleanup_policy, "delete") == 0;
}

/* What passes while brokers start, or somebody else makes the same topic: after it all is well. */
static bool passes(void)
{
    static const struct {
        const char *call, *way;
    } rows[] = {
        {"making a topic", "way 0"},       {"making a topic", "way 1"},
        {"describing a topic", "way 1"},   {"rd_kafka_queue_poll", "way 0"},
        {"rd_kafka_event_error", "way 0"}, {"rd_kafka_event_error", "way 1"},
        {"rd_kafka_metadata", "way 0"},
    };
    const char *struck = failing_struck();
    for (size_t i = 0; struck && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(struck, rows[i].call) == 0 && strstr(failing_point(), rows[i].way))
            return true;
    return false;
}

/* What is not as planned says why, or a setting was not told. */
static void judge(const struct kafka_topic topics[COUNT])
{
    for (size_t i = 0; i < COUNT; i++) {
        const struct kafka_topic *topic = &topics[i];
        bool untold = topic->settings_known && strcmp(failing_struck() ? failing_struck() : "",
                                                      "rd_kafka_ConfigEntry_value") == 0;
        if (!as_planned(topic) && !topic->error[0] && !untold)
            fail_msg("%s: %s is not as planned, and nothing is said", failing_point(), topic->name);
        if (passes() && !as_planned(topic))
            fail_msg("%s: %s: it was not tried again: %s", failing_point(), topic->name,
                     topic->error);
        if (topic->made && !topic->exists)
            fail_msg("%s: %s was made, and is not there", failing_point(), topic->name);
    }
}

static int try(struct kafka_topic topics[COUNT])
{
    struct fault fault = {0};
    struct kafka_admin *kafka;
    int rc = kafka_admin_open(mock.config, &kafka, &fault);
    if (rc != 0)
        return rc;
    rc = kafka_topics_look(kafka, topics, COUNT, WAIT_MS);
    if (rc == 0)
        rc = kafka_topics_make(kafka, &plan, topics, COUNT, WAIT_MS);
    if (rc == 0)
        rc = kafka_topics_settings(kafka, topics, COUNT, WAIT_MS);
    if (rc == ERR_BUSY && !*kafka_admin_why(kafka))
        fail_msg("%s: it says not why", failing_point());
    kafka_admin_close(kafka);
    return rc;
}

static void one_round(void *unused)
{
    (void)unused;
    struct kafka_topic topics[COUNT];
    begin(topics);
    /* A cluster of its own, for none of its topics can be taken away again. */
    failing_exempt(true);
    rd_kafka_mock_cluster_destroy(mock.cluster);
    mock.cluster = rd_kafka_mock_cluster_new(mock.host, 1);
    mock_configure(&mock, "{}");
    failing_topics_open(mock.cluster);
    failing_exempt(false);
    int rc = try(topics);
    failing_disarm();
    if (failing_topics_held() != 0)
        fail_msg("%s: %d things are left behind", failing_point(), failing_topics_held());
    if (rc == 0)
        judge(topics);
    else
        told++;
    complete += rc == 0;
    if (rc != 0 && (!failing_struck() || passes()))
        fail_msg("%s: %s", failing_point(), error_name(rc));
}

static void kafka_calls(void **state)
{
    (void)state;
    complete = told = 0;
    assert_true(failing_each("topics", FAILING_KAFKA, one_round, NULL) > 50);
    /* Most failures pass, or are one topic's. */
    assert_true(complete > 2 * told && told > 0);
}

static void allocations(void **state)
{
    (void)state;
    assert_true(failing_each("topics", FAILING_ALLOCATION, one_round, NULL) > 3);
}

/* Made anew, looked at again: nothing is made twice, and what is there is known. */
static void twice(void **state)
{
    (void)state;
    struct kafka_topic topics[COUNT];
    failing_topics_open(mock.cluster);
    begin(topics);
    assert_int_equal(try(topics), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(topics[i].made && as_planned(&topics[i]));
    begin(topics);
    assert_int_equal(try(topics), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(!topics[i].made && as_planned(&topics[i]));
    assert_int_equal(failing_topics_held(), 0);
}

static int setup(void **state)
{
    (void)state;
    mock_start(&mock);
    mock_configure(&mock, "{}");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mock_stop(&mock);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(twice),
        TEST(kafka_calls),
        TEST(allocations),
    };
    failing_init();
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return failing_report(cmocka_run_group_tests(tests, NULL, NULL));
}
