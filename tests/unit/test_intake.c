/* POST /events: the three modes, every refusal, what stands on Kafka afterwards. */
#include "tests/unit/intake_kit.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static struct kit kit;

#define STRUCTURED "Content-Type: application/cloudevents+json\r\n"
#define BATCH      "Content-Type: application/cloudevents-batch+json; charset=UTF-8\r\n"
#define BINARY                                                                                     \
    "Content-Type: application/json\r\nce-specversion: 1.0\r\nce-id: b1\r\nce-source: /crm\r\n"    \
    "ce-type: sales.call.made\r\nce-time: 2026-01-08T10:12:07Z\r\n"

#define CORE(id)                                                                                   \
    "\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/crm\",\"time\":"                      \
    "\"2026-01-08T10:12:07Z\""
#define CUSTOMER "\"customer\":{\"email\":\"ann@acme.example\"}"
#define CALL(id) "{" CORE(id) ",\"type\":\"sales.call.made\",\"data\":{" CUSTOMER "}}"
#define DEAL(id, members)                                                                          \
    "{" CORE(id) ",\"type\":\"sales.deal.won\",\"data\":{" CUSTOMER members "}}"

static int setup(void **state)
{
    (void)state;
    kit_start(&kit);
    kit_open(&kit, "{}");
    kit_wait_ready(&kit);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_stop(&kit);
    return 0;
}

static void structured_event_is_published(void **state)
{
    (void)state;
    static const char event[] =
        "{" CORE("s1") ",\"type\":\"sales.deal.won\",\"traceparent\":\"" TRACE "\","
                       "\"data\": {" CUSTOMER ",  \"amount\":12000.50, "
                       "\"currency\":\"EUR\", \"owner\":\"Gr\\u00e4ce\",\"promises\":[\"soon\"]} }";
    assert_int_equal(kit_expect(&kit, "/events", STRUCTURED, event, 202, "accepted"), 1);

    mock_read_from_start(&kit.mock, KIT_TOPIC);
    const rd_kafka_message_t *message = kit_next(&kit);
    static const struct {
        const char *name, *value;
    } headers[] = {
        {"ce_specversion", "1.0"},
        {"ce_id", "s1"},
        {"ce_source", "/crm"},
        {"ce_type", "sales.deal.won"},
        {"ce_time", "2026-01-08T10:12:07Z"},
        {"ce_customer", "email=ann%40acme.example"},
        {"ce_owner", "Gräce"},
        {"ce_summary", "Deal won: 12000.50 EUR"},
        {"ce_amount", "12000.50"},
        {"ce_currency", "EUR"},
        {"ce_facts", "promises"},
        {"ce_traceparent", TRACE},
        {"throughline_reason", ""},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_string_equal(mock_header(message, headers[i].name), headers[i].value);
    const char *data = strstr(event, "{" CUSTOMER);
    size_t data_len = strlen(data) - strlen(" }");
    assert_int_equal(message->len, data_len);
    assert_memory_equal(message->payload, data, data_len); /* byte for byte, blanks and all */
    assert_int_equal(message->key_len, strlen("email=ann%40acme.example"));
    assert_memory_equal(message->key, "email=ann%40acme.example", message->key_len);
}

static void binary_event_is_published(void **state)
{
    (void)state;
    static const char data[] = "{ \"customer\": {\"email\": \"bob@acme.example\"} }";
    assert_int_equal(
        kit_expect(&kit, "/events", BINARY "ce-subject: %C3%A4%20b\r\n", data, 202, "accepted"), 1);
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    const rd_kafka_message_t *message = kit_next(&kit);
    assert_string_equal(mock_header(message, "ce_id"), "b1");
    assert_string_equal(mock_header(message, "ce_subject"), "ä b");
    assert_string_equal(mock_header(message, "content-type"), "application/json");
    assert_int_equal(message->len, strlen(data));
    assert_memory_equal(message->payload, data, message->len);
}

static void batch_is_published_in_order(void **state)
{
    (void)state;
    char id[8];
    /* Two with the same id and source are the sender's business. */
    static const char batch[] = "\xEF\xBB\xBF [" CALL("1") ",\n" CALL("2") " , " CALL("2") "]";
    assert_int_equal(kit_expect(&kit, "/events", BATCH, batch, 202, "accepted"), 3);
    assert_int_equal(kit_expect(&kit, "/events", BATCH, "[]", 202, "accepted"), 0);
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    static const char *const ids[] = {"1", "2", "2"};
    for (int i = 0; i < 3; i++) {
        const rd_kafka_message_t *message = kit_next(&kit);
        snprintf(id, sizeof id, "%s", mock_header(message, "ce_id"));
        assert_string_equal(id, ids[i]); /* one customer, one partition */
    }
    assert_int_equal(kit_drain(&kit, 200), 0);
}

/* A megabyte of the smallest events: all records are taken at once, or none. */
static void full_batch_is_published(void **state)
{
    (void)state;
    static const char event[] =
        "{" CORE("n") ",\"type\":\"sales.call.made\",\"customer\":\"email=a%40b.c\"}";
    struct buffer batch;
    json_int_t count = 0;
    buffer_init(&batch, 1 << 20);
    buffer_append_char(&batch, '[');
    while (batch.len + sizeof event + 1 < (1 << 20)) {
        buffer_append_text(&batch, count++ ? "," : "");
        buffer_append_text(&batch, event);
    }
    buffer_append_char(&batch, ']');
    assert_int_equal(kit_expect(&kit, "/events", BATCH, batch.data, 202, "accepted"), count);
    assert_true(count > 7000);
    buffer_free(&batch);
}

struct refusal {
    const char *headers, *body;
    int status;
    const char *errors; /* "index pointer;index pointer;"; an index of - is none */
    const char *detail; /* a part of the answer */
};

static const struct refusal refusals[] = {
    /* What it is in */
    {"Content-Type: application/json\r\n", CALL("r"), 415, "", "ce- headers"},
    {"", CALL("r"), 415, "", "ce- headers"},
    {"Content-Type: application/cloudevents+avro\r\n", "x", 415, "",
     "application/cloudevents+json"},
    {"Content-Type: application/cloudevents+json\r\nContent-Encoding: gzip\r\n", "x", 415, "",
     "Content-Encoding"},
    /* One event */
    {STRUCTURED, "", 400, "- ;", ""},
    {STRUCTURED, "{", 400, "- ;", ""},
    {STRUCTURED, "[" CALL("r") "]", 400, "- ;", ""},
    {STRUCTURED, "{\"id\":\"1\",\"id\":\"1\"}", 400, "- /id;", "twice"},
    {STRUCTURED, "{" CORE("") ",\"type\":\"sales.call.made\"}", 400, "- /id;", ""},
    {STRUCTURED, "{\"specversion\":\"0.3\",\"id\":\"r\"}", 400, "- /specversion;", ""},
    {STRUCTURED,
     "{\"specversion\":\"1.0\",\"id\":\"r\",\"source\":\"/crm\",\"type\":\"sales.call.made\"}", 400,
     "- /time;", ""},
    {STRUCTURED, "{" CORE("r") ",\"type\":\"sales.no.such\",\"data\":{" CUSTOMER "}}", 400,
     "- /type;", ""},
    {STRUCTURED, "{" CORE("r") ",\"type\":\"billing.invoice.paid\",\"data\":{" CUSTOMER "}}", 400,
     "- /type;", ""},
    {STRUCTURED, "{" CORE("r") ",\"type\":\"throughline.customer.stale\",\"data\":{" CUSTOMER "}}",
     400, "- /type;", ""},
    {STRUCTURED, "{" CORE("r") ",\"type\":\"sales.call.made\",\"data\":{}}", 400, NULL, "customer"},
    {STRUCTURED, DEAL("r", ""), 400, "- /data/amount;", ""},
    {STRUCTURED, DEAL("r", ",\"amount\":\"one\",\"currency\":\"EUR\""), 400, "- /data/amount;", ""},
    {STRUCTURED, DEAL("r", ",\"amount\":1,\"currency\":\"euro\""), 400, "- /data/currency;", ""},
    {BINARY "ce-datacontenttype: application/json\r\n", "{" CUSTOMER "}", 400, "- ;",
     "ce-datacontenttype"},
    {BINARY "ce-subject: %C0%A0\r\n", "{" CUSTOMER "}", 400, "- /subject;", ""},
    {BINARY, "{" CUSTOMER, 400, "- /data;", ""},
    {"ce-id: 1\r\n", "", 400, NULL, ""},
    /* Batches: every bad event is named, none is published. */
    {BATCH, "{}", 400, "- ;", "array"},
    {BATCH, "[" CALL("r") ",", 400, "- ;", ""},
    {BATCH, "[" CALL("good") ",1,\"x\",{}," CALL("good") "]", 400, "1 ;2 ;3 /specversion;", ""},
    {BATCH, "[" DEAL("r", "") "," CALL("good") "," DEAL("r", ",\"amount\":1") "]", 400,
     "0 /data/amount;2 /data/currency;", "nothing was published"},
    {BATCH, "[" CALL("good") ",{\"id\":1,\"id\":2}]", 400, "1 /id;", "twice"},
};

static void describe_errors(json_t *errors, char *text, size_t size)
{
    size_t i, len = 0;
    json_t *error;
    text[0] = '\0';
    json_array_foreach(errors, i, error)
    {
        json_t *index = json_object_get(error, "index");
        char number[24] = "-";
        if (index)
            snprintf(number, sizeof number, "%lld", (long long)json_integer_value(index));
        assert_true(json_string_length(json_object_get(error, "detail")) > 0);
        len += (size_t)snprintf(text + len, size - len, "%s %s;", number,
                                json_string_value(json_object_get(error, "pointer")));
        assert_true(len < size);
    }
}

static void refusals_are_exact_and_publish_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *row = &refusals[i];
        char errors[1024];
        struct answer answer = kit_post(&kit, "/events", row->headers, row->body);
        if (answer.status != row->status || !strstr(answer.text, row->detail))
            fail_msg("row %zu: %s%s\n%s", i, row->headers, row->body, answer.text);
        assert_non_null(strstr(answer.text, "Content-Type: application/problem+json"));
        assert_int_equal(json_integer_value(json_object_get(answer.json, "status")), row->status);
        describe_errors(json_object_get(answer.json, "errors"), errors, sizeof errors);
        if (row->errors && strcmp(errors, row->errors) != 0)
            fail_msg("row %zu: errors \"%s\", expected \"%s\"\n%s", i, errors, row->errors,
                     answer.text);
        answer_free(&answer);
    }
    kit_expect(&kit, "/events", STRUCTURED, CALL("last"), 202, NULL);
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    const rd_kafka_message_t *message = kit_next(&kit);
    assert_string_equal(mock_header(message, "ce_id"), "last");
    assert_int_equal(kit_drain(&kit, 300), 0);
}

static void hundred_errors_are_listed_and_the_rest_counted(void **state)
{
    (void)state;
    struct buffer batch;
    buffer_init(&batch, 1 << 20);
    buffer_append_char(&batch, '[');
    for (int i = 0; i < 150; i++)
        buffer_append_text(&batch, i ? ",{}" : "{}");
    buffer_append_char(&batch, ']');
    struct answer answer = kit_post(&kit, "/events", BATCH, batch.data);
    assert_int_equal(answer.status, 400);
    assert_int_equal(json_array_size(json_object_get(answer.json, "errors")), 100);
    assert_non_null(strstr(answer.text, "50 more"));
    answer_free(&answer);
    buffer_free(&batch);
}

/* A text of `len` bytes with an event of exactly that size. */
static struct buffer event_of_size(size_t len, const char *before, const char *after)
{
    static const char head[] =
        "{" CORE("big") ",\"type\":\"sales.call.made\",\"data\":{" CUSTOMER ",\"x\":\"";
    static const char tail[] = "\"}}";
    struct buffer text;
    buffer_init(&text, 2 << 20);
    buffer_append_text(&text, before);
    buffer_append_text(&text, head);
    for (size_t i = sizeof head + sizeof tail - 2; i < len; i++)
        buffer_append_char(&text, 'x');
    buffer_append_text(&text, tail);
    buffer_append_text(&text, after);
    assert_false(text.failed);
    return text;
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    static const struct {
        size_t event;
        const char *headers, *before, *after;
        int status;
        const char *detail;
    } rows[] = {
        {256 * 1024, STRUCTURED, "", "", 202, ""},
        {256 * 1024 + 1, STRUCTURED, "", "", 413, "262144 bytes"},
        {256 * 1024, BATCH, "[", "]", 202, ""},
        {256 * 1024 + 1, BATCH, "[" CALL("good") ",", "]", 413, "\"index\":1"},
        {256 * 1024, BINARY, "", "", 202, ""},
        {256 * 1024 + 1, BINARY, "", "", 413, ""},
        {1024 * 1024 + 1, BATCH, "", "", 413, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer body = event_of_size(rows[i].event, rows[i].before, rows[i].after);
        const char *headers = rows[i].headers;
        if (strcmp(headers, BINARY) == 0)
            headers = BINARY "ce-customer: email=ann%2540acme.example\r\n";
        struct answer answer = kit_post(&kit, "/events", headers, body.data);
        if (answer.status != rows[i].status || !strstr(answer.text, rows[i].detail))
            fail_msg("row %zu: %s", i, answer.text);
        answer_free(&answer);
        buffer_free(&body);
    }
}

static void token_is_wanted_where_one_is_set(void **state)
{
    (void)state;
    kit_close(&kit);
    kit_open(&kit, "{\"tl-sales\": {\"token\": \"s3cret\"}}");
    static const struct {
        const char *header;
        int status;
    } rows[] = {
        {"", 401},
        {"Authorization: Bearer s3cre\r\n", 401},
        {"Authorization: Bearer s3cret2\r\n", 401},
        {"Authorization: Basic s3cret\r\n", 401},
        {"Authorization: Bearer s3cret\r\nAuthorization: Bearer s3cret\r\n", 401},
        {"Authorization: Bearer s3cret\r\n", 202},
        {"authorization: bearer s3cret\r\n", 202},
    };
    kit_wait_ready(&kit); /* health is open */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char headers[512];
        snprintf(headers, sizeof headers, "%s%s", STRUCTURED, rows[i].header);
        struct answer answer = kit_post(&kit, "/events", headers, CALL("t"));
        if (answer.status != rows[i].status)
            fail_msg("row %zu: %s", i, answer.text);
        if (answer.status == 401)
            assert_non_null(strstr(answer.text, "WWW-Authenticate: Bearer"));
        answer_free(&answer);
    }
}

static void no_listener_beyond_loopback_without_token(void **state)
{
    (void)state;
    static const struct {
        const char *settings;
        int rc;
    } rows[] = {
        {"{\"tl-sales\": {\"listen\": \"0.0.0.0:0\"}}", ERR_INVALID},
        {"{\"tl-sales\": {\"listen\": \"[::]:0\"}}", ERR_INVALID},
        {"{\"tl-sales\": {\"listen\": \"nowhere\"}}", ERR_INVALID},
        {"{\"tl-sales\": {\"listen\": \"0.0.0.0:0\", \"token\": \"t\"}}", 0},
        {"{\"tl-sales\": {\"listen\": \"[::1]:0\"}}", 0},
    };
    kit_close(&kit);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        mock_configure(&kit.mock, rows[i].settings);
        assert_int_equal(department_check(kit.mock.config, &fault), rows[i].rc);
        if (rows[i].rc)
            assert_string_equal(fault.pointer, "/listen");
    }
}

static void every_body_that_is_allowed_has_room(void **state)
{
    (void)state;
    struct fault fault = {0};
    kit_close(&kit);
    mock_configure(&kit.mock,
                   "{\"tl-sales\": {\"request_limit\": \"4 MiB\", \"http_memory\": \"4 MiB\"}}");
    assert_int_equal(department_check(kit.mock.config, &fault), ERR_INVALID);
    assert_string_equal(fault.pointer, "/http_memory");
    mock_configure(&kit.mock,
                   "{\"tl-sales\": {\"request_limit\": \"4 MiB\", \"http_memory\": \"4160 KiB\"}}");
    assert_int_equal(department_check(kit.mock.config, &fault), 0);
}

static void webhook_handshake_is_answered(void **state)
{
    (void)state;
    struct answer answer = kit_exchange(&kit, "OPTIONS", "/events",
                                        "WebHook-Request-Origin: events.example\r\n", span_of(""));
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.text, "WebHook-Allowed-Origin: events.example\r\n"));
    answer_free(&answer);
    answer = kit_exchange(&kit, "OPTIONS", "/events", "", span_of(""));
    assert_int_equal(answer.status, 200);
    assert_null(strstr(answer.text, "WebHook-Allowed-Origin"));
    answer_free(&answer);
}

static void health_and_metrics_are_told(void **state)
{
    (void)state;
    kit_expect(&kit, "/events", STRUCTURED, CALL("m"), 202, NULL);
    kit_expect(&kit, "/events", STRUCTURED, "{", 400, NULL);
    struct answer answer = kit_exchange(&kit, "GET", "/healthz", "", span_of(""));
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
    answer = kit_exchange(&kit, "GET", "/metrics", "", span_of(""));
    assert_int_equal(answer.status, 200);
    static const char *const names[] = {
        "throughline_intake_events_total{result=\"accepted\"} ",
        "throughline_intake_events_total{result=\"refused\"} ",
        "throughline_intake_requests_total{code=\"202\"} ",
        "throughline_intake_requests_total{code=\"400\"} ",
        "throughline_publish_queue_records 0\n",
        "throughline_publish_delivered_total ",
        "throughline_build_info{version=\"",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = strstr(answer.text, names[i]);
        assert_non_null(at);
        if (names[i][strlen(names[i]) - 1] == ' ')
            assert_int_not_equal(at[strlen(names[i])], '0');
    }
    answer_free(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(structured_event_is_published),
        TEST(binary_event_is_published),
        TEST(batch_is_published_in_order),
        TEST(full_batch_is_published),
        TEST(refusals_are_exact_and_publish_nothing),
        TEST(hundred_errors_are_listed_and_the_rest_counted),
        TEST(sizes_are_bounded),
        TEST(token_is_wanted_where_one_is_set),
        TEST(no_listener_beyond_loopback_without_token),
        TEST(every_body_that_is_allowed_has_room),
        TEST(webhook_handshake_is_answered),
        TEST(health_and_metrics_are_told),
    };
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
