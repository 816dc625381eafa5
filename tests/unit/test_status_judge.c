/* What throughline status calls wrong, and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/cli/status.h"

static const struct {
    int64_t waiting, limit;
    bool wrong;
    const char *text;
} quarantines[] = {
    {0, 100, false, "nothing waits"},
    {1, 100, false, "1 of at most 100 waiting for a decision: throughline quarantine list"},
    {50, 100, false, "50 of at most 100 waiting for a decision: throughline quarantine list"},
    {51, 100, true, "filling: 51 of at most 100 wait: throughline quarantine list"},
    {100, 100, true,
     "full: 100 of at most 100 wait, and partitions with it: throughline quarantine list"},
    {1000, 0, false, "1000 waiting for a decision: throughline quarantine list"},
};

static void quarantine(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof quarantines / sizeof *quarantines; i++) {
        struct status_part part = {.text = ""};
        status_judge_quarantine(quarantines[i].waiting, quarantines[i].limit, &part);
        assert_string_equal(part.text, quarantines[i].text);
        assert_int_equal(part.wrong, quarantines[i].wrong);
    }
}

static void lag(void **state)
{
    (void)state;
    struct status status = {.books_known = true, .lag_count = 3};
    struct status_part part = {.text = ""};
    status_judge_lag(&status, &part);
    assert_string_equal(part.text, ""); /* the brokers are not known */
    status.books.kafka_known = true;
    status_judge_lag(&status, &part);
    assert_true(!part.wrong && strstr(part.text, "none"));
    status.lags[0] = (struct status_lag){"events.sales", 7, 300};
    status.lags[1] = (struct status_lag){"events.billing", 0, 0};
    status.lags[2] = (struct status_lag){"events.service", 1, -1};
    status_judge_lag(&status, &part);
    assert_string_equal(part.text, "records that are not read yet: sales 7 (300 s), service 1");
    assert_false(part.wrong);
    status.lags[0].seconds = 301;
    status_judge_lag(&status, &part);
    assert_true(part.wrong);
}

static void topics(void **state)
{
    (void)state;
    struct kafka_topic items[2] = {
        {.name = "events.sales", .exists = true, .partitions = 3, .replicas = 1},
        {.name = "handoffs.sales", .exists = true, .partitions = 2, .replicas = 1},
    };
    const struct topics all = {items, 2, {.partitions = 3, .max_message_bytes = 2097152}, "b:1"};
    struct status_part part = {.text = ""};
    status_judge_topics(&all, &part); /* fewer partitions are a warning of migrate's */
    assert_false(part.wrong);
    assert_string_equal(part.text, "2, all there");
    items[1].leaderless = 1;
    status_judge_topics(&all, &part);
    assert_true(part.wrong);
    assert_string_equal(
        part.text,
        "handoffs.sales has no leader for 1 of 2 partitions: start the brokers that hold it");
    items[0].exists = false;
    status_judge_topics(&all, &part);
    assert_string_equal(part.text, "events.sales is missing: throughline migrate; and 1 more");
    items[0] = (struct kafka_topic){.name = "events.sales",
                                    .exists = true,
                                    .partitions = 3,
                                    .replicas = 1,
                                    .settings_known = true,
                                    .retention_ms = -1,
                                    .retention_bytes = -1,
                                    .max_message_bytes = 5,
                                    .min_insync = 1};
    items[1].leaderless = 0;
    status_judge_topics(&all, &part);
    assert_true(part.wrong);
    assert_string_equal(part.text,
                        "events.sales max.message.bytes is 5, should be at least 2097152: "
                        "throughline migrate tells what mends it");
}

static void books_and_partitions(void **state)
{
    (void)state;
    struct book items[3] = {
        {.topic = "events.sales",
         .begun = true,
         .records = 9,
         .next = 9,
         .in_kafka = true,
         .high = 9},
        {.topic = "events.sales",
         .partition = 1,
         .begun = true,
         .records = 5,
         .next = 5,
         .in_kafka = true,
         .high = 7},
        {.topic = "events.sales", .partition = 2, .in_kafka = true},
    };
    struct status status = {.books = {.items = items, .count = 3, .kafka_known = true}};
    struct status_part books = {.text = ""}, partitions = {.text = ""};
    status_judge_books(&status, &books);
    status_judge_partitions(&status, &partitions);
    assert_true(!*books.text && !*partitions.text); /* of what nobody knows nothing is said */
    status.books_known = true;
    status_judge_books(&status, &books);
    status_judge_partitions(&status, &partitions);
    assert_false(books.wrong);
    assert_non_null(
        strstr(books.text, "14 records read, 2 to come; they balance, as they are kept"));
    assert_string_equal(partitions.text, "2 are read");
    items[0].difference = 1;
    items[1].low = 6;
    snprintf(items[2].stopped, sizeof items[2].stopped, "damaged");
    status_judge_books(&status, &books);
    status_judge_partitions(&status, &partitions);
    assert_true(books.wrong && partitions.wrong);
    assert_string_equal(books.text, "1 of 3 partitions do not balance: throughline reconcile");
    assert_string_equal(partitions.text,
                        "events.sales/1 Kafka dropped 1 records before they were read: see "
                        "throughline replay; and 1 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quarantine),
        cmocka_unit_test(lag),
        cmocka_unit_test(topics),
        cmocka_unit_test(books_and_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
