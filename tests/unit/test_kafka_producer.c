/* common/kafka: settings, and the producer against a broker that misbehaves. */
#include "tests/unit/kafka_mock.h"

#include <stdatomic.h>
#include <string.h>

#include "common/kafka/kafka_producer.h"
#include "common/kafka/kafka_settings.h"
#include "common/metrics.h"

#define TOPIC "events.sales"

static struct kafka_mock mock;
static struct kafka_producer *producer;

/* What the delivery reports said. */
static struct {
    atomic_int stored, busy, limit;
} reports;

static void on_delivered(void *opaque, int result)
{
    (void)opaque;
    if (result == 0)
        atomic_fetch_add(&reports.stored, 1);
    else if (result == ERR_BUSY)
        atomic_fetch_add(&reports.busy, 1);
    else if (result == ERR_LIMIT)
        atomic_fetch_add(&reports.limit, 1);
}

static int reported(void)
{
    return atomic_load(&reports.stored) + atomic_load(&reports.busy) + atomic_load(&reports.limit);
}

static bool has_reports(void *count)
{
    return reported() >= *(int *)count;
}

static bool is_ready(void *context)
{
    (void)context;
    return kafka_producer_ready(producer, TOPIC, NULL, 0);
}

static bool is_unready(void *context)
{
    return !is_ready(context);
}

static int send_text(const char *key, const char *value)
{
    const struct record record = {
        .topic = span_of(TOPIC), .partition = -1, .key = span_of(key), .value = span_of(value)};
    return kafka_producer_send(producer, &record, on_delivered, NULL);
}

static bool send_answers_busy(void *context)
{
    (void)context;
    return send_text("k", "busy?") == ERR_BUSY;
}

static bool send_is_taken(void *context)
{
    (void)context;
    return send_text("k", "again") == 0;
}

static void wait_for_reports(int count, int ms)
{
    if (!mock_wait(has_reports, &count, ms))
        fail_msg("%d reports of %d within %d ms", reported(), count, ms);
}

static void open_producer(const char *settings)
{
    atomic_store(&reports.stored, 0);
    atomic_store(&reports.busy, 0);
    atomic_store(&reports.limit, 0);
    mock_configure(&mock, settings);
    assert_int_equal(kafka_producer_open(mock.config, &producer), 0);
    assert_true(mock_wait(is_ready, NULL, 5000));
}

static int setup(void **state)
{
    (void)state;
    mock_start(&mock);
    assert_int_equal(rd_kafka_mock_topic_create(mock.cluster, TOPIC, MOCK_PARTITIONS, 1), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kafka_producer_close(producer, 1000);
    producer = NULL;
    mock_stop(&mock);
    return 0;
}

static void record_arrives_whole(void **state)
{
    (void)state;
    open_producer("{}");
    const struct record_header headers[] = {
        {span_of("ce_id"), span_of("1")},
        {span_of("ce_subject"), span_of("")},
    };
    const struct record record = {.topic = span_of(TOPIC),
                                  .partition = -1,
                                  .key = span_of("email=ann%40acme.example"),
                                  .value = span_of("{\"amount\":1.50}"),
                                  .headers = headers,
                                  .header_count = 2};
    assert_int_equal(kafka_producer_send(producer, &record, on_delivered, NULL), 0);
    wait_for_reports(1, 5000);
    assert_int_equal(reports.stored, 1);

    mock_read_from_start(&mock, TOPIC);
    const rd_kafka_message_t *message = mock_next(&mock, 5000);
    assert_non_null(message);
    assert_int_equal(message->len, record.value.len);
    assert_memory_equal(message->payload, record.value.ptr, record.value.len);
    assert_int_equal(message->key_len, record.key.len);
    assert_memory_equal(message->key, record.key.ptr, record.key.len);
    assert_string_equal(mock_header(message, "ce_id"), "1");
    assert_string_equal(mock_header(message, "ce_subject"), "");
}

/* Java's DefaultPartitioner: toPositive(murmur2(key)) % 4. */
static void keys_go_where_java_sends_them(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int partition;
    } rows[] = {{"kafka", 0},
                {"email=ann%40acme.example", 2},
                {"email=bob%40acme.example", 0},
                {"stripe=cus_9", 1},
                {"account.domain=acme.example", 2},
                {"hubspot=51", 3},
                {"x", 2}};
    const int count = (int)(sizeof rows / sizeof *rows);
    open_producer("{}");
    for (int i = 0; i < count; i++)
        assert_int_equal(send_text(rows[i].key, rows[i].key), 0);
    wait_for_reports(count, 5000);
    mock_read_from_start(&mock, TOPIC);
    for (int i = 0; i < count; i++) {
        const rd_kafka_message_t *message = mock_next(&mock, 5000);
        assert_non_null(message);
        for (int k = 0; k < count; k++)
            if (strlen(rows[k].key) == message->key_len &&
                memcmp(rows[k].key, message->key, message->key_len) == 0)
                assert_int_equal(message->partition, rows[k].partition);
    }
}

static void key_and_value_may_be_absent(void **state)
{
    (void)state;
    open_producer("{}");
    const struct record record = {.topic = span_of(TOPIC), .partition = 2};
    assert_int_equal(kafka_producer_send(producer, &record, on_delivered, NULL), 0);
    wait_for_reports(1, 5000);
    mock_read_from_start(&mock, TOPIC);
    const rd_kafka_message_t *message = mock_next(&mock, 5000);
    assert_non_null(message);
    assert_null(message->payload);
    assert_null(message->key);
    assert_int_equal(message->partition, 2);
}

static void full_queue_is_busy(void **state)
{
    (void)state;
    open_producer("{\"tl-sales\": {\"publish_queue_records\": 3}}");
    rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 500);
    int taken = 0, rc = 0;
    for (int i = 0; i < 10 && (rc = send_text("k", "v")) == 0; i++)
        taken++;
    assert_int_equal(rc, ERR_BUSY);
    assert_int_equal(taken, 3);
    wait_for_reports(3, 5000);
    assert_int_equal(reports.stored, 3);
    assert_int_equal(send_text("k", "v"), 0);
    wait_for_reports(4, 5000);
}

/* librdkafka counts neither headers nor its own structures, which are most of a small event. */
static void bytes_of_headers_count(void **state)
{
    (void)state;
    enum { HEADERS = 10, MOST = 10000, LIMIT = 4 << 20 };
    char value[1000];
    struct record_header headers[HEADERS];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < HEADERS; i++)
        headers[i] = (struct record_header){span_of("ce_header"), {value, sizeof value}};
    const struct record record = {
        .topic = span_of(TOPIC), .partition = -1, .headers = headers, .header_count = HEADERS};
    open_producer("{\"tl-sales\": {\"publish_queue_bytes\": \"4 MiB\"}}");
    rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 1000);
    int taken = 0, rc = 0;
    while (taken < MOST && (rc = kafka_producer_send(producer, &record, on_delivered, NULL)) == 0)
        taken++;
    assert_int_equal(rc, ERR_BUSY);
    assert_in_range(taken, LIMIT / 13000, LIMIT / 10000);
    rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
    wait_for_reports(taken, 10000);
    assert_int_equal(reports.stored, taken);
    assert_int_equal(send_text("k", "there is room again"), 0);
    wait_for_reports(taken + 1, 5000);
}

static void large_record_is_refused(void **state)
{
    (void)state;
    open_producer("{}");
    size_t len = 3 << 20;
    char *value = calloc(1, len);
    assert_non_null(value);
    struct record record = {.topic = span_of(TOPIC), .partition = -1, .value = {value, len}};
    assert_int_equal(kafka_producer_send(producer, &record, on_delivered, NULL), ERR_LIMIT);
    record.value.len = 2000000; /* what the contract promises to carry */
    assert_int_equal(kafka_producer_send(producer, &record, on_delivered, NULL), 0);
    wait_for_reports(1, 5000);
    assert_int_equal(reports.stored, 1);
    free(value);
}

static void large_for_the_broker_is_told_apart(void **state)
{
    (void)state;
    open_producer("{}");
    rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    assert_int_equal(send_text("k", "v"), 0);
    wait_for_reports(1, 5000);
    assert_int_equal(reports.limit, 1);
}

static void passing_errors_are_retried(void **state)
{
    (void)state;
    open_producer("{}");
    rd_kafka_mock_push_request_errors(
        mock.cluster, MOCK_PRODUCE, 4, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    assert_int_equal(send_text("k", "v"), 0);
    wait_for_reports(1, 8000);
    assert_int_equal(reports.stored, 1);
}

static void broker_away_is_told_and_comes_back(void **state)
{
    (void)state;
    char why[256] = "";
    open_producer("{\"tl-sales\": {\"publish_timeout\": \"1s\"}}");
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    assert_int_equal(send_text("k", "v"), 0); /* nobody knows yet */
    wait_for_reports(1, 4000);
    assert_int_equal(reports.busy, 1);

    assert_true(mock_wait(is_unready, NULL, 4000));
    assert_false(kafka_producer_ready(producer, TOPIC, why, sizeof why));
    assert_string_equal(why, "Kafka: no broker answers");
    assert_true(mock_wait(send_answers_busy, NULL, 5000));
    int64_t started = clock_monotonic_ms();
    assert_int_equal(send_text("k", "v"), ERR_BUSY);
    assert_true(clock_monotonic_ms() - started < 100);

    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    assert_true(mock_wait(is_ready, NULL, 8000));
    atomic_store(&reports.stored, 0);
    assert_true(mock_wait(send_is_taken, NULL, 1000));
    int more = reported() + 1;
    mock_wait(has_reports, &more, 5000);
    assert_true(reports.stored > 0);
}

static void missing_topic_is_named(void **state)
{
    (void)state;
    char why[256] = "";
    open_producer("{}");
    rd_kafka_mock_topic_set_error(mock.cluster, "events.none",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_false(kafka_producer_ready(producer, "events.none", why, sizeof why));
    int64_t deadline = clock_monotonic_ms() + 5000;
    while (!strstr(why, "Unknown topic") && clock_monotonic_ms() < deadline) {
        stop_wait(20);
        assert_false(kafka_producer_ready(producer, "events.none", why, sizeof why));
    }
    assert_string_equal(why, "Kafka: topic events.none: Broker: Unknown topic or partition");
}

static void topic_without_leaders_is_not_ready(void **state)
{
    (void)state;
    char why[256] = "";
    for (int32_t i = 0; i < MOCK_PARTITIONS; i++)
        rd_kafka_mock_partition_set_leader(mock.cluster, TOPIC, i, -1);
    mock_configure(&mock, "{}");
    assert_int_equal(kafka_producer_open(mock.config, &producer), 0);
    int64_t deadline = clock_monotonic_ms() + 5000;
    while (!strstr(why, "leader") && clock_monotonic_ms() < deadline) {
        stop_wait(20);
        assert_false(kafka_producer_ready(producer, TOPIC, why, sizeof why));
    }
    assert_string_equal(why, "Kafka: topic " TOPIC ": no partition has a leader");
}

/* 2.0.2 has such errors without a cause (fixed in 2.3.0), others are real. */
static void fatal_error_makes_the_producer_anew(void **state)
{
    (void)state;
    struct metric *recreated = metric_counter("throughline_publish_recreated_total", NULL, "");
    open_producer("{}");
    int64_t before = metric_value(recreated);
    assert_int_equal(send_text("k", "before"), 0);
    wait_for_reports(1, 5000);
    rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send_text("k", "during"), 0);
    wait_for_reports(6, 8000); /* none is lost, whatever became of it */
    int more = reported();
    assert_true(mock_wait(send_is_taken, NULL, 5000));
    wait_for_reports(more + 1, 5000);
    assert_int_equal(metric_value(recreated), before + 1);
    int stored = reports.stored;
    assert_int_equal(send_text("k", "after"), 0);
    wait_for_reports(more + 2, 5000);
    assert_int_equal(reports.stored, stored + 1);
}

static void closing_fails_what_is_outstanding(void **state)
{
    (void)state;
    open_producer("{}");
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    for (int i = 0; i < 10; i++)
        assert_int_equal(send_text("k", "v"), 0);
    int64_t started = clock_monotonic_ms();
    kafka_producer_close(producer, 200);
    producer = NULL;
    assert_true(clock_monotonic_ms() - started < 4000);
    assert_int_equal(reports.busy, 10);
}

static void settings_pass_through_but_promises_stay(void **state)
{
    (void)state;
    static const struct {
        const char *json, *pointer; /* NULL: good */
    } rows[] = {
        {"{\"kafka\": {\"compression.type\": \"lz4\"}}", NULL},
        {"{\"kafka\": {\"linger.ms\": \"20\"}}", NULL},
        {"{\"kafka\": {\"acks\": \"-1\"}}", NULL},
        {"{\"kafka\": {\"security.protocol\": \"ssl\"}}", NULL},
        {"{\"kafka\": {\"acks\": \"1\"}}", "/kafka/acks"},
        {"{\"kafka\": {\"request.required.acks\": \"0\"}}", "/kafka/request.required.acks"},
        {"{\"kafka\": {\"enable.idempotence\": \"false\"}}", "/kafka/enable.idempotence"},
        {"{\"kafka\": {\"partitioner\": \"random\"}}", "/kafka/partitioner"},
        {"{\"kafka\": {\"no.such.setting\": \"1\"}}", "/kafka/no.such.setting"},
        {"{\"kafka\": {\"linger.ms\": \"soon\"}}", "/kafka/linger.ms"},
        {"{\"kafka\": {\"security.protocol\": \"sasl_ssl\", \"sasl.mechanisms\": "
         "\"SCRAM-SHA-512\", "
         "\"sasl.username\": \"tl\", \"sasl.password\": \"secret\", \"ssl.ca.location\": \"/\"}}",
         NULL},
        {"{\"kafka\": {\"ssl.ca.location\": \"/no/such/ca.pem\"}}", "/kafka/ssl.ca.location"},
        {"{\"kafka\": {\"ssl.key.location\": \"/no/such/key.pem\"}}", "/kafka/ssl.key.location"},
        {"{\"kafka\": {\"security.protocol\": \"sasl_ssl\", \"sasl.mechanism\": \"PLAIN\"}}",
         "/kafka/sasl.username"},
        {"{\"kafka\": {\"security.protocol\": \"sasl_ssl\", \"sasl.mechanism\": \"SCRAM-SHA-256\", "
         "\"sasl.username\": \"tl\"}}",
         "/kafka/sasl.password"},
        {"{\"kafka\": {\"security.protocol\": \"ssl\", \"sasl.username\": \"tl\", "
         "\"sasl.password\": \"secret\"}}",
         "/kafka/security.protocol"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        mock_configure(&mock, rows[i].json);
        int rc = kafka_producer_check(mock.config, &fault);
        if (!rows[i].pointer) {
            assert_int_equal(rc, 0);
            continue;
        }
        assert_int_equal(rc, ERR_INVALID);
        assert_string_equal(fault.pointer, rows[i].pointer);
        assert_true(fault.detail[0]);
        assert_null(strstr(fault.detail, "secret"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(record_arrives_whole),
        TEST(keys_go_where_java_sends_them),
        TEST(key_and_value_may_be_absent),
        TEST(full_queue_is_busy),
        TEST(bytes_of_headers_count),
        TEST(large_record_is_refused),
        TEST(large_for_the_broker_is_told_apart),
        TEST(passing_errors_are_retried),
        TEST(broker_away_is_told_and_comes_back),
        TEST(missing_topic_is_named),
        TEST(topic_without_leaders_is_not_ready),
        TEST(fatal_error_makes_the_producer_anew),
        TEST(closing_fails_what_is_outstanding),
        TEST(settings_pass_through_but_promises_stay),
    };
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
