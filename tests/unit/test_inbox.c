/* The whole way of a handoff inside one process: a mock Kafka, a department service that delivers,
 * a receiver, and the report; how it ends in the middle of things. */
#include "tests/unit/intake_kit.h"

#include <pthread.h>

#include "common/base/clock.h"
#include "common/http/http_server.h"
#include "common/metrics.h"

#define TOPIC  "handoffs.sales"
#define SECRET "whsec_c2VjcmV0LWtleS1mb3ItdGVzdHMhMg=="
#define ID(n)  "123e4567-e89b-12d3-a456-42661417400" #n

static struct kit kit;
static rd_kafka_t *writer;
static struct http_server *receiver;

/* What the receiver got, and what it answers. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char ids[64][80];
    int count;
    int status;                   /* 0: never */
    struct http_request *hanging; /* one that was not answered */
} got;

static void receive(struct http_request *request, void *context)
{
    (void)context;
    pthread_mutex_lock(&lock);
    int status = got.status;
    if (status && got.count < 64)
        snprintf(got.ids[got.count++], sizeof *got.ids, "%.*s",
                 SPAN_ARGS(http_request_header(request, "webhook-id")));
    if (!status)
        got.hanging = request;
    pthread_mutex_unlock(&lock);
    if (status)
        http_respond(request, status, "text/plain", span_of(""), NULL);
}

static const struct http_route routes[] = {{"POST", "/in", receive, NULL}};

static void answer_with(int status)
{
    pthread_mutex_lock(&lock);
    got.status = status;
    pthread_mutex_unlock(&lock);
}

static int count_of(const char *id)
{
    int count = 0;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < got.count; i++)
        count += strcmp(got.ids[i], id) == 0;
    pthread_mutex_unlock(&lock);
    return count;
}

static bool has(void *id)
{
    return count_of(id) > 0;
}

static bool hangs(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    bool hanging = got.hanging != NULL;
    pthread_mutex_unlock(&lock);
    return hanging;
}

static int64_t failed_tries(void)
{
    return metric_value(
        metric_counter("throughline_delivery_tries_total", "outcome=\"failed\"", ""));
}

static bool fails(void *before)
{
    return failed_tries() > *(int64_t *)before;
}

static void wait_for_id(char *id)
{
    if (!mock_wait(has, id, 30000))
        fail_msg("%s did not come", id);
}

static void add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    assert_int_equal(rd_kafka_header_add(headers, name, -1, value, -1), 0);
}

static void produce(const char *id, const char *sequence, const char *type)
{
    char event_id[80];
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    snprintf(event_id, sizeof event_id, "%s/%s", id, sequence);
    add(headers, "ce_specversion", "1.0");
    add(headers, "ce_id", event_id);
    add(headers, "ce_source", "/throughline");
    add(headers, "ce_type", type);
    add(headers, "ce_time", "2026-01-08T10:12:07Z");
    add(headers, "ce_sequence", sequence);
    add(headers, "content-type", "application/json");
    char value[] = "{\"brief\":{}}", key[64];
    snprintf(key, sizeof key, "%s", id);
    assert_int_equal(
        rd_kafka_producev(writer, RD_KAFKA_V_TOPIC(TOPIC), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(value, strlen(value)),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
        0);
    assert_int_equal(rd_kafka_flush(writer, 10000), 0);
}

/* The mock broker shares partitions out as slowly as sessions may be silent. */
#define SOON "\"kafka\": {\"session.timeout.ms\": \"5000\", \"heartbeat.interval.ms\": \"500\"}, "

static void open_service(const char *more)
{
    char settings[512];
    snprintf(settings, sizeof settings,
             "{" SOON
             "\"tl-sales\": {\"deliver_url\": \"http://127.0.0.1:%d/in\", \"deliver_secret\": "
             "\"" SECRET "\", \"deliver_retry_floor\": \"20ms\", \"deliver_retry_ceiling\": "
             "\"100ms\", \"deliver_threads\": 2%s}}",
             http_server_port(receiver), more);
    kit_open(&kit, settings);
    kit_wait_ready(&kit);
}

static void expect_report(const char *type, const char *id, const char *data)
{
    const rd_kafka_message_t *message = mock_next(&kit.mock, 20000);
    assert_non_null(message);
    assert_string_equal(mock_header(message, "ce_type"), type);
    assert_string_equal(mock_header(message, "ce_id"), id);
    if (message->len != strlen(data) || memcmp(message->payload, data, message->len) != 0)
        fail_msg("%.*s", (int)message->len, (const char *)message->payload);
}

static void handoff_goes_all_the_way(void **state)
{
    (void)state;
    char second[] = ID(1) "/2";
    open_service("");
    produce(ID(1), "1", "throughline.handoff.opened");
    produce(ID(1), "2", "throughline.handoff.closed");
    wait_for_id(second);
    assert_int_equal(got.count, 2);
    assert_string_equal(got.ids[0], ID(1) "/1");
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    expect_report("throughline.handoff.delivered", ID(1) "/1/delivered",
                  "{\"handoff\":\"" ID(1) "\",\"sequence\":1}");
    assert_int_equal(kit_drain(&kit, 300), 0); /* an end is not reported */
}

static void refused_handoff_is_reported(void **state)
{
    (void)state;
    char second[] = ID(2) "/2";
    answer_with(422);
    open_service(", \"deliver_refused_tries\": 2");
    produce(ID(1), "1", "throughline.handoff.opened");
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    expect_report("throughline.handoff.undeliverable", ID(1) "/1/undeliverable",
                  "{\"handoff\":\"" ID(1) "\",\"sequence\":1,\"note\":\"2 tries; the receiver "
                                          "answered 422\"}");
    answer_with(200);
    produce(ID(2), "2", "throughline.handoff.updated");
    wait_for_id(second);
}

/* The same process again: what was done with does not come twice, what was not comes. */
static void restart_goes_on(void **state)
{
    (void)state;
    char first[] = ID(1) "/1", second[] = ID(2) "/1";
    open_service("");
    produce(ID(1), "1", "throughline.handoff.opened");
    wait_for_id(first);
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    assert_non_null(mock_next(&kit.mock, 20000));
    kit_close(&kit);
    produce(ID(2), "1", "throughline.handoff.opened");
    open_service("");
    wait_for_id(second);
    assert_int_equal(count_of(first), 1);
}

static void hanging_receiver_is_left_in_time(void **state)
{
    (void)state;
    char first[] = ID(1) "/1";
    answer_with(0);
    open_service(", \"deliver_timeout\": \"60s\"");
    produce(ID(1), "1", "throughline.handoff.opened");
    assert_true(mock_wait(hangs, NULL, 30000));
    int64_t before = clock_monotonic_ms();
    kit_close(&kit);
    assert_true(clock_monotonic_ms() - before <= 10000);
    answer_with(200);
    open_service("");
    wait_for_id(first);
}

/* What waits goes by the new receiver's settings, what comes later, too. */
static void receiver_is_exchanged(void **state)
{
    (void)state;
    char settings[512], first[] = ID(1) "/1", second[] = ID(2) "/1";
    struct buffer restart;
    struct fault fault = {0};
    struct config *fresh;
    int64_t before = failed_tries();
    open_service(", \"deliver_breaker_ceiling\": \"100ms\", \"deliver_breaker_floor\": \"20ms\"");
    snprintf(settings, sizeof settings,
             "{" SOON "\"tl-sales\": {\"deliver_url\": \"http://127.0.0.1:%d/nowhere\", "
             "\"deliver_secret\": \"" SECRET "\"}}",
             http_server_port(receiver));
    mock_write(&kit.mock, "throughline.json", settings);
    buffer_init(&restart, 256);
    assert_int_equal(config_load_again(kit.mock.config, &fresh, &fault), 0);
    assert_int_equal(department_reload(kit.service, fresh, &restart, &fault), 0);
    assert_int_equal(department_reload(kit.service, fresh, &restart, &fault),
                     0); /* unused: freed */
    config_free(fresh);
    produce(ID(1), "1", "throughline.handoff.opened");
    assert_true(mock_wait(fails, &before, 30000));
    assert_int_equal(count_of(first), 0);
    assert_int_equal(department_reload(kit.service, kit.mock.config, &restart, &fault), 0);
    wait_for_id(first);
    produce(ID(2), "1", "throughline.handoff.opened");
    wait_for_id(second);
    assert_int_equal(restart.len, 0);
    buffer_free(&restart);
}

/* Neither a receiver that is away, nor a topic that is missing, is the intake's business. */
static void intake_does_not_notice(void **state)
{
    (void)state;
    http_server_stop(receiver, 0);
    receiver = NULL;
    kit_open(&kit, "{" SOON "\"tl-sales\": {\"deliver_url\": \"http://127.0.0.1:1/in\", "
                   "\"deliver_secret\": \"" SECRET "\"}}");
    kit_wait_ready(&kit);
    produce(ID(1), "1", "throughline.handoff.opened");
    for (int i = 0; i < 20; i++)
        kit_expect(&kit, "/handoffs/" ID(1) "/accept", "Content-Type: application/json\r\n",
                   "{\"by\":\"ann\"}", 202, NULL);
    assert_true(kit_is_ready(&kit));
}

static int setup(void **state)
{
    (void)state;
    char error[256];
    const struct http_server_options options = {.listen = "127.0.0.1:0",
                                                .routes = routes,
                                                .route_count = 1,
                                                .body_limit = 64 * 1024,
                                                .memory_limit = 1024 * 1024,
                                                .connection_limit = 16,
                                                .read_deadline_ms = 60000,
                                                .idle_ms = 60000};
    memset(&got, 0, sizeof got);
    got.status = 200;
    kit_start(&kit);
    assert_int_equal(rd_kafka_mock_topic_create(kit.mock.cluster, TOPIC, MOCK_PARTITIONS, 1), 0);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(kit.mock.cluster),
                      error, sizeof error);
    rd_kafka_conf_set(conf, "linger.ms", "0", error, sizeof error);
    writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    assert_non_null(writer);
    return http_server_start(&options, &receiver);
}

static int teardown(void **state)
{
    (void)state;
    kit_close(&kit);
    if (got.hanging)
        http_respond(got.hanging, 200, NULL, (struct span){NULL, 0}, NULL);
    http_server_stop(receiver, 0);
    rd_kafka_destroy(writer);
    kit_stop(&kit);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(handoff_goes_all_the_way), TEST(refused_handoff_is_reported),
        TEST(restart_goes_on),          TEST(hanging_receiver_is_left_in_time),
        TEST(receiver_is_exchanged),    TEST(intake_does_not_notice),
    };
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
