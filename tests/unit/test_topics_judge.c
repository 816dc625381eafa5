/* What of a topic differs from the plan, how bad that is, and what mends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/cli/topics_judge.h"

#define WEEK INT64_C(604800000)

static const struct kafka_topic_plan plan = {.partitions = 6,
                                             .replicas = 3,
                                             .retention_ms = WEEK,
                                             .max_message_bytes = 2097152,
                                             .min_insync = 2};

static struct kafka_topic good(void)
{
    return (struct kafka_topic){.name = "events.sales",
                                .exists = true,
                                .partitions = 6,
                                .replicas = 3,
                                .settings_known = true,
                                .retention_ms = WEEK,
                                .retention_bytes = -1,
                                .max_message_bytes = 2097152,
                                .min_insync = 2,
                                .cleanup_policy = "delete"};
}

static void as_planned_or_more(void **state)
{
    (void)state;
    struct topic_difference found[TOPIC_DIFFERENCES];
    struct kafka_topic topic = good();
    assert_int_equal(topic_differences(&topic, &plan, "b:1", found), 0);
    topic.partitions = 7;
    topic.replicas = 4;
    topic.retention_ms = -1;
    topic.max_message_bytes = INT64_C(1) << 30;
    topic.min_insync = 3;
    assert_int_equal(topic_differences(&topic, &plan, "b:1", found), 0);
    topic.exists = false; /* of what is not there nothing differs */
    topic.partitions = 0;
    assert_int_equal(topic_differences(&topic, &plan, "b:1", found), 0);
}

/* Whatever the brokers chose, where the plan leaves it to them. */
static void as_the_brokers_say(void **state)
{
    (void)state;
    struct topic_difference found[TOPIC_DIFFERENCES];
    struct kafka_topic_plan left = plan;
    struct kafka_topic topic = good();
    left.replicas = left.min_insync = 0;
    topic.replicas = topic.min_insync = 1;
    assert_int_equal(topic_differences(&topic, &left, "b:1", found), 0);
}

static void everything_differs(void **state)
{
    (void)state;
    struct topic_difference found[TOPIC_DIFFERENCES];
    struct kafka_topic topic = good();
    topic.partitions = 5;
    topic.replicas = 2;
    topic.retention_ms = WEEK - 1;
    topic.retention_bytes = 0;
    topic.max_message_bytes = 2097151;
    topic.min_insync = 1;
    snprintf(topic.cleanup_policy, sizeof topic.cleanup_policy, "compact");
    static const struct {
        bool error;
        const char *setting, *is, *should, *mend;
    } rows[] = {
        {true, "max.message.bytes", "2097151", "at least 2097152", "max.message.bytes=2097152"},
        {true, "cleanup.policy", "compact", "delete", "cleanup.policy=delete"},
        {true, "retention.ms", "604799999 (604799999ms)", "at least 604800000 (7d)",
         "retention.ms=604800000"},
        {false, "retention.bytes", "0", "-1, no bound", "retention.bytes=-1"},
        {false, "min.insync.replicas", "1", "at least 2", "min.insync.replicas=2"},
        {false, "partitions", "5", "6",
         "kafka-topics.sh --bootstrap-server b:1 --alter --topic events.sales --partitions 6"},
        {false, "replication factor", "2", "3",
         "names 3 brokers for each partition of events.sales"},
    };
    size_t count = topic_differences(&topic, &plan, "b:1", found);
    assert_int_equal(count, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        if (found[i].error != rows[i].error || strcmp(found[i].setting, rows[i].setting) != 0 ||
            strcmp(found[i].is, rows[i].is) != 0 || strcmp(found[i].should, rows[i].should) != 0 ||
            !strstr(found[i].mend, rows[i].mend) || !*found[i].why)
            fail_msg("%zu: %d %s is %s should be %s: %s: %s", i, found[i].error, found[i].setting,
                     found[i].is, found[i].should, found[i].why, found[i].mend);
    }
    topic.settings_known = false; /* nothing is said of what nobody knows */
    assert_int_equal(topic_differences(&topic, &plan, "b:1", found), 2);
    assert_string_equal(found[0].setting, "partitions");
}

/* Errors come first, in whatever order they are found. */
static void nobody_can_write(void **state)
{
    (void)state;
    struct topic_difference found[TOPIC_DIFFERENCES];
    struct kafka_topic topic = good();
    topic.retention_bytes = 5;
    topic.replicas = 1;
    assert_int_equal(topic_differences(&topic, &plan, "b:1", found), 3);
    assert_true(found[0].error && !found[1].error && !found[2].error);
    assert_string_equal(found[0].setting, "min.insync.replicas");
    assert_string_equal(found[0].should, "at most 1, its replicas");
    assert_non_null(strstr(found[0].mend, "--add-config min.insync.replicas=1"));
    assert_string_equal(found[1].setting, "retention.bytes");
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{-1, "for ever"}, {0, "0ms"},    {1500, "1500ms"},
                {2000, "2s"},     {60000, "1m"}, {3600000 * 36, "36h"},
                {WEEK * 2, "14d"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];
        topic_duration(rows[i].ms, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void how_to_make_one(void **state)
{
    (void)state;
    char command[640];
    struct kafka_topic_plan left = plan;
    topic_make_command("events.sales", &plan, "b:1", command, sizeof command);
    assert_string_equal(
        command,
        "kafka-topics.sh --bootstrap-server b:1 --create --topic events.sales --partitions 6 "
        "--replication-factor 3 --config cleanup.policy=delete --config "
        "retention.ms=604800000 --config max.message.bytes=2097152 --config "
        "min.insync.replicas=2");
    left.replicas = left.min_insync = 0;
    topic_make_command("events.sales", &left, "b:1", command, sizeof command);
    assert_null(strstr(command, "--replication-factor"));
    assert_null(strstr(command, "min.insync"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_planned_or_more), cmocka_unit_test(as_the_brokers_say),
        cmocka_unit_test(everything_differs), cmocka_unit_test(nobody_can_write),
        cmocka_unit_test(durations),          cmocka_unit_test(how_to_make_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
