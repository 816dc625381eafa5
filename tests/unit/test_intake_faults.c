/* What senders are told when Kafka is slow, full, broken or away. */
#include "tests/unit/intake_kit.h"

#include "common/metrics.h"

static struct kit kit;

#define STRUCTURED "Content-Type: application/cloudevents+json\r\n"
#define BATCH      "Content-Type: application/cloudevents-batch+json\r\n"
#define CALL                                                                                       \
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/crm\",\"time\":\"2026-01-08T10:12:07Z\"," \
    "\"type\":\"sales.call.made\",\"data\":{\"customer\":{\"email\":\"ann@acme.example\"}}}"

static int setup(void **state)
{
    (void)state;
    kit_start(&kit);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_stop(&kit);
    return 0;
}

static void start(const char *settings)
{
    kit_open(&kit, settings);
    kit_wait_ready(&kit);
}

static struct answer post_call(void)
{
    return kit_post(&kit, "/events", STRUCTURED, CALL);
}

static void expect_unavailable(struct answer answer)
{
    if (answer.status != 503)
        fail_msg("expected 503: %s", answer.text);
    assert_non_null(strstr(answer.text, "Retry-After: "));
    assert_non_null(strstr(answer.text, "application/problem+json"));
    answer_free(&answer);
}

static bool accepts(void *context)
{
    (void)context;
    struct answer answer = post_call();
    bool accepted = answer.status == 202;
    if (!accepted)
        assert_int_equal(answer.status, 503);
    answer_free(&answer);
    return accepted;
}

static bool refuses_at_once(void *context)
{
    (void)context;
    int64_t started = clock_monotonic_ms();
    struct answer answer = post_call();
    answer_free(&answer);
    return clock_monotonic_ms() - started < 100;
}

static void broker_away_is_503_in_time_and_recovers(void **state)
{
    (void)state;
    start("{}"); /* as shipped */
    rd_kafka_mock_broker_set_down(kit.mock.cluster, 1);
    int64_t started = clock_monotonic_ms();
    expect_unavailable(post_call());
    assert_true(clock_monotonic_ms() - started < 5000);
    assert_true(mock_wait(refuses_at_once, NULL, 10000)); /* it is known by now */

    struct answer answer = kit_exchange(&kit, "GET", "/readyz", "", span_of(""));
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.text, "no broker answers"));
    answer_free(&answer);
    answer = kit_exchange(&kit, "GET", "/healthz", "", span_of(""));
    assert_int_equal(answer.status, 200);
    answer_free(&answer);

    rd_kafka_mock_broker_set_up(kit.mock.cluster, 1);
    assert_true(mock_wait(accepts, NULL, 10000));
    kit_wait_ready(&kit);
}

/* A broker that takes the connection and says nothing. */
static void silent_broker_is_503_in_time(void **state)
{
    (void)state;
    start("{}");
    rd_kafka_mock_broker_set_rtt(kit.mock.cluster, 1, 8000);
    int64_t started = clock_monotonic_ms();
    expect_unavailable(post_call());
    assert_true(clock_monotonic_ms() - started < 5000);
    rd_kafka_mock_broker_set_rtt(kit.mock.cluster, 1, 0);
}

static void slow_broker_is_waited_for(void **state)
{
    (void)state;
    enum { WAITING = 50 };
    int connections[WAITING];
    start("{}");
    rd_kafka_mock_broker_set_rtt(kit.mock.cluster, 1, 1000);
    for (int i = 0; i < WAITING; i++)
        connections[i] = kit_begin(&kit, "POST", "/events", STRUCTURED, span_of(CALL));
    /* No thread is held up meanwhile. */
    int64_t started = clock_monotonic_ms();
    struct answer answer = kit_exchange(&kit, "GET", "/healthz", "", span_of(""));
    assert_int_equal(answer.status, 200);
    assert_true(clock_monotonic_ms() - started < 500);
    answer_free(&answer);
    for (int i = 0; i < WAITING; i++) {
        answer = kit_receive(connections[i]);
        assert_int_equal(answer.status, 202);
        answer_free(&answer);
    }
}

static void full_queue_is_503(void **state)
{
    (void)state;
    start("{\"tl-sales\": {\"publish_queue_records\": 2}}");
    rd_kafka_mock_broker_set_rtt(kit.mock.cluster, 1, 500);
    expect_unavailable(kit_post(&kit, "/events", BATCH, "[" CALL "," CALL "," CALL "," CALL "]"));
    int64_t deadline = clock_monotonic_ms() + 5000;
    rd_kafka_mock_broker_set_rtt(kit.mock.cluster, 1, 0);
    while (!accepts(NULL))
        assert_true(clock_monotonic_ms() < deadline);
}

static void passing_errors_end_in_202(void **state)
{
    (void)state;
    start("{}");
    rd_kafka_mock_push_request_errors(
        kit.mock.cluster, MOCK_PRODUCE, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT);
    struct answer answer = post_call();
    assert_int_equal(answer.status, 202);
    answer_free(&answer);
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    assert_int_equal(kit_drain(&kit, 700), 1);
}

static void lasting_errors_are_503(void **state)
{
    (void)state;
    start("{}");
    rd_kafka_mock_push_request_errors(kit.mock.cluster, MOCK_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    expect_unavailable(post_call());
    assert_true(mock_wait(accepts, NULL, 5000));
}

static void large_for_the_broker_is_413(void **state)
{
    (void)state;
    start("{}");
    rd_kafka_mock_push_request_errors(kit.mock.cluster, MOCK_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    struct answer answer = post_call();
    assert_int_equal(answer.status, 413);
    answer_free(&answer);
}

static void fatal_producer_error_passes(void **state)
{
    (void)state;
    start("{}");
    rd_kafka_mock_push_request_errors(kit.mock.cluster, MOCK_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect_unavailable(post_call());
    assert_true(mock_wait(accepts, NULL, 5000));
}

/* The mock broker lists a topic's partitions beside its error, which no real one does. librdkafka
 * before 2.10 then reads a partition it has not made (rd_kafka_topic_metadata_update), where the
 * answer has leader epochs; those of versions below 9 do not count. */
static void missing_topic_is_not_ready(void **state)
{
    (void)state;
    rd_kafka_mock_set_apiversion(kit.mock.cluster, MOCK_METADATA, 0, 8);
    rd_kafka_mock_topic_set_error(kit.mock.cluster, KIT_TOPIC,
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    kit_open(&kit, "{}");
    int64_t deadline = clock_monotonic_ms() + 5000;
    for (bool told = false; !told;) {
        struct answer answer = kit_exchange(&kit, "GET", "/readyz", "", span_of(""));
        assert_int_equal(answer.status, 503);
        told = strstr(answer.text, "topic " KIT_TOPIC ": Broker: Topic authorization failed");
        if (!told && clock_monotonic_ms() > deadline)
            fail_msg("%s", answer.text);
        answer_free(&answer);
        stop_wait(20);
    }
    rd_kafka_mock_topic_set_error(kit.mock.cluster, KIT_TOPIC, RD_KAFKA_RESP_ERR_NO_ERROR);
    kit_wait_ready(&kit);
}

static void ending_answers_what_is_under_way(void **state)
{
    (void)state;
    enum { WAITING = 20 };
    int connections[WAITING];
    start("{}");
    struct metric *queued = metric_gauge("throughline_publish_queue_records", NULL, "");
    rd_kafka_mock_broker_set_rtt(kit.mock.cluster, 1, 700);
    for (int i = 0; i < WAITING; i++)
        connections[i] = kit_begin(&kit, "POST", "/events", STRUCTURED, span_of(CALL));
    int64_t deadline = clock_monotonic_ms() + 5000;
    while (metric_value(queued) < WAITING) {
        assert_true(clock_monotonic_ms() < deadline);
        stop_wait(5);
    }
    int64_t started = clock_monotonic_ms();
    kit_close(&kit);
    assert_true(clock_monotonic_ms() - started < 6000);
    for (int i = 0; i < WAITING; i++) {
        struct answer answer = kit_receive(connections[i]);
        assert_int_equal(answer.status, 202);
        answer_free(&answer);
    }
    rd_kafka_mock_broker_set_rtt(kit.mock.cluster, 1, 0);
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    assert_int_equal(kit_drain(&kit, 700), WAITING);
}

static void ending_while_kafka_is_away_is_bounded(void **state)
{
    (void)state;
    start("{}");
    rd_kafka_mock_broker_set_down(kit.mock.cluster, 1);
    int connection = kit_begin(&kit, "POST", "/events", STRUCTURED, span_of(CALL));
    struct metric *queued = metric_gauge("throughline_publish_queue_records", NULL, "");
    int64_t deadline = clock_monotonic_ms() + 5000;
    while (metric_value(queued) < 1) {
        assert_true(clock_monotonic_ms() < deadline);
        stop_wait(5);
    }
    int64_t started = clock_monotonic_ms();
    kit_close(&kit);
    assert_true(clock_monotonic_ms() - started < 10000);
    expect_unavailable(kit_receive(connection));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(broker_away_is_503_in_time_and_recovers),
        TEST(silent_broker_is_503_in_time),
        TEST(slow_broker_is_waited_for),
        TEST(full_queue_is_503),
        TEST(passing_errors_end_in_202),
        TEST(lasting_errors_are_503),
        TEST(large_for_the_broker_is_413),
        TEST(fatal_producer_error_passes),
        TEST(missing_topic_is_not_ready),
        TEST(ending_answers_what_is_under_way),
        TEST(ending_while_kafka_is_away_is_bounded),
    };
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
