/* POST /handoffs/<id>/{accept,decline,done,reassign}: every refusal, what stands on Kafka. */
#include "tests/unit/intake_kit.h"

#include "services/department/handoff_requests.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

#define ID   "123e4567-e89b-12d3-a456-426614174000"
#define JSON "Content-Type: application/json\r\n"
#define PATH "/handoffs/" ID

static struct kit kit;

static json_t *next_data(const char *type, const char *id)
{
    const rd_kafka_message_t *message = kit_next(&kit);
    assert_string_equal(mock_header(message, "ce_specversion"), "1.0");
    assert_string_equal(mock_header(message, "ce_type"), type);
    assert_string_equal(mock_header(message, "ce_source"), "/throughline/sales");
    assert_string_equal(mock_header(message, "content-type"), "application/json");
    if (id)
        assert_string_equal(mock_header(message, "ce_id"), id);
    assert_int_equal(message->key_len, strlen(ID));
    assert_memory_equal(message->key, ID, message->key_len);
    json_t *data = json_loadb(message->payload, message->len, 0, NULL);
    assert_non_null(data);
    return data;
}

static void expect_data(const char *type, const char *id, const char *wanted)
{
    json_t *data = next_data(type, id), *right = json_loads(wanted, 0, NULL);
    assert_non_null(right);
    assert_true(json_equal(data, right));
    json_decref(data);
    json_decref(right);
}

static void requests_are_published(void **state)
{
    (void)state;
    static const struct {
        const char *path, *headers, *body, *type, *id, *data;
    } rows[] = {
        {PATH "/accept", JSON, "{\"by\": \"ann\"}", "throughline.handoff.accept", NULL,
         "{\"handoff\": \"" ID "\", \"by\": \"ann\"}"},
        {PATH "/decline", JSON "Idempotency-Key: \"k-1\"\r\n",
         "{\"by\": \"ann\", \"note\": \"not\\nours\"}", "throughline.handoff.decline", "k-1",
         "{\"handoff\": \"" ID "\", \"by\": \"ann\", \"note\": \"not\\nours\"}"},
        {PATH "/done", "Content-Type: application/json; charset=utf-8\r\nIdempotency-Key: k-2\r\n",
         "{\"by\": \"\\u00e4nn\"}", "throughline.handoff.done", "k-2",
         "{\"handoff\": \"" ID "\", \"by\": \"\\u00e4nn\"}"},
        {"/handoffs/123E4567-E89B-12D3-A456-426614174000/reassign", JSON,
         "{\"by\": \"ann\", \"to\": \"billing\"}", "throughline.handoff.reassign", NULL,
         "{\"handoff\": \"" ID "\", \"by\": \"ann\", \"to\": \"billing\"}"},
        {"/handoffs/123e4567%2De89b-12d3-a456-426614174000/done?x=1", JSON, "{\"by\": \"ann\"}",
         "throughline.handoff.done", NULL, "{\"handoff\": \"" ID "\", \"by\": \"ann\"}"},
    };
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(
            kit_expect(&kit, rows[i].path, rows[i].headers, rows[i].body, 202, "accepted"), 1);
        expect_data(rows[i].type, rows[i].id, rows[i].data);
    }
}

static void ids_differ_and_traces_pass(void **state)
{
    (void)state;
    char first[64];
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    kit_expect(&kit, PATH "/accept", JSON "traceparent: " TRACE "\r\n", "{\"by\":\"a\"}", 202,
               NULL);
    const rd_kafka_message_t *message = kit_next(&kit);
    assert_string_equal(mock_header(message, "ce_traceparent"), TRACE);
    snprintf(first, sizeof first, "%s", mock_header(message, "ce_id"));
    assert_int_equal(strlen(first), 36);
    kit_expect(&kit, PATH "/accept", JSON "traceparent: 00 01\r\n", "{\"by\":\"a\"}", 202, NULL);
    message = kit_next(&kit);
    assert_string_not_equal(mock_header(message, "ce_id"), first);
    assert_string_equal(mock_header(message, "ce_traceparent"), ""); /* it is none */
}

static const struct {
    const char *path, *headers, *body;
    int status;
    const char *pointer; /* of its one error; NULL: it has none */
    const char *detail;
} refusals[] = {
    /* What there is */
    {"/handoffs/", JSON, "{}", 404, NULL, "accept, decline"},
    {"/handoffs/" ID, JSON, "{}", 404, NULL, "accept, decline"},
    {PATH "/", JSON, "{}", 404, NULL, ""},
    {PATH "/accept/", JSON, "{}", 404, NULL, ""},
    {PATH "/accept/x", JSON, "{}", 404, NULL, ""},
    {PATH "/cancel", JSON, "{}", 404, NULL, ""},
    {PATH "/Accept", JSON, "{}", 404, NULL, ""},
    {"/handoffs//accept", JSON, "{\"by\":\"a\"}", 400, NULL, "must be a UUID"},
    {"/handoffs/4711/accept", JSON, "{\"by\":\"a\"}", 400, NULL, "must be a UUID"},
    {"/handoffs/" ID "0/accept", JSON, "{\"by\":\"a\"}", 400, NULL, "must be a UUID"},
    {"/handoffs/{" ID "}/accept", JSON, "{\"by\":\"a\"}", 400, NULL, "must be a UUID"},
    {"/handoffs/123e4567e89b12d3a456426614174000/accept", JSON, "{\"by\":\"a\"}", 400, NULL,
     "must be a UUID"},
    /* What it is in */
    {PATH "/accept", "", "{\"by\":\"a\"}", 415, NULL, "application/json"},
    {PATH "/accept", "Content-Type: text/plain\r\n", "{\"by\":\"a\"}", 415, NULL,
     "application/json"},
    {PATH "/accept", "Content-Type: application/cloudevents+json\r\n", "{\"by\":\"a\"}", 415, NULL,
     "application/json"},
    {PATH "/accept", JSON "Content-Encoding: gzip\r\n", "x", 415, NULL, "Content-Encoding"},
    {PATH "/accept", JSON JSON, "{\"by\":\"a\"}", 400, NULL, "once"},
    {PATH "/accept", JSON "Idempotency-Key: a\r\nIdempotency-Key: a\r\n", "{\"by\":\"a\"}", 400,
     NULL, "once"},
    {PATH "/accept", JSON "Idempotency-Key: \"\"\r\n", "{\"by\":\"a\"}", 400, NULL,
     "Idempotency-Key"},
    {PATH "/accept", JSON "Idempotency-Key: a b\r\n", "{\"by\":\"a\"}", 400, NULL,
     "Idempotency-Key"},
    {PATH "/accept", JSON "Idempotency-Key: \xC3\xA4\r\n", "{\"by\":\"a\"}", 400, NULL,
     "Idempotency-Key"},
    /* What it says */
    {PATH "/accept", JSON, "", 400, "", ""},
    {PATH "/accept", JSON, "{", 400, "", ""},
    {PATH "/accept", JSON, "[]", 400, "", "object"},
    {PATH "/accept", JSON, "null", 400, "", "object"},
    {PATH "/accept", JSON, "{\"by\":\"a\",\"by\":\"b\"}", 400, "/by", "twice"},
    {PATH "/accept", JSON, "{\"by\":\"\\u0000\"}", 400, NULL, ""},
    {PATH "/accept", JSON, "{\"by\":\"\xC0\xA0\"}", 400, NULL, ""},
    {PATH "/accept", JSON, "{}", 400, "/by", "is missing"},
    {PATH "/accept", JSON, "{\"by\":null}", 400, "/by", "string"},
    {PATH "/accept", JSON, "{\"by\":1}", 400, "/by", "string"},
    {PATH "/accept", JSON, "{\"by\":\"\"}", 400, "/by", "empty"},
    {PATH "/accept", JSON, "{\"by\":\" \\n\\t\"}", 400, "/by", "empty"},
    {PATH "/accept", JSON, "{\"by\":\"a\\u0007\"}", 400, "/by", "control"},
    {PATH "/accept", JSON, "{\"by\":\"a\",\"note\":1}", 400, "/note", "string"},
    {PATH "/accept", JSON, "{\"by\":\"a\",\"note\":\"\"}", 400, "/note", "empty"},
    {PATH "/accept", JSON, "{\"by\":\"a\",\"to\":\"billing\"}", 400, "/to", "not known"},
    {PATH "/accept", JSON, "{\"by\":\"a\",\"a/b\":1}", 400, "/a~1b", "not known"},
    {PATH "/done", JSON, "{\"by\":\"a\",\"state\":\"done\"}", 400, "/state", "by and note"},
    {PATH "/decline", JSON, "{\"by\":\"a\"}", 400, "/note", "is missing"},
    {PATH "/reassign", JSON, "{\"by\":\"a\"}", 400, "/to", "is missing"},
    {PATH "/reassign", JSON, "{\"by\":\"a\",\"to\":\"\"}", 400, "/to", "empty"},
    {PATH "/reassign", JSON, "{\"by\":\"a\",\"to\":\"moon\"}", 400, "/to", "no department"},
    {PATH "/reassign", JSON, "{\"by\":\"a\",\"to\":\"throughline\"}", 400, "/to", "no department"},
    {PATH "/reassign", JSON, "{\"by\":\"a\",\"to\":\"sales\"}", 400, "/to", "itself"},
    {PATH "/reassign", JSON, "{\"by\":\"a\",\"to\":[\"billing\"]}", 400, "/to", "string"},
};

static void refusals_are_exact_and_publish_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct answer answer =
            kit_post(&kit, refusals[i].path, refusals[i].headers, refusals[i].body);
        if (answer.status != refusals[i].status || !strstr(answer.text, refusals[i].detail))
            fail_msg("row %zu: %s", i, answer.text);
        assert_non_null(strstr(answer.text, "Content-Type: application/problem+json"));
        json_t *error = json_array_get(json_object_get(answer.json, "errors"), 0);
        const char *pointer = json_string_value(json_object_get(error, "pointer"));
        if (refusals[i].pointer && (!pointer || strcmp(pointer, refusals[i].pointer) != 0))
            fail_msg("row %zu: %s", i, answer.text);
        answer_free(&answer);
    }
    kit_expect(&kit, PATH "/done", JSON, "{\"by\":\"last\"}", 202, NULL);
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    expect_data("throughline.handoff.done", NULL, "{\"handoff\":\"" ID "\",\"by\":\"last\"}");
    assert_int_equal(kit_drain(&kit, 300), 0);
}

static void lengths_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        size_t most;
    } rows[] = {{"by", 200}, {"note", 4000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t more = 0; more < 2; more++) {
            char body[8192], text[4100] = "";
            memset(text, 'x', rows[i].most + more);
            bool by = strcmp(rows[i].member, "by") == 0;
            snprintf(body, sizeof body, "{%s\"%s\":\"%s\"}", by ? "" : "\"by\":\"a\",",
                     rows[i].member, text);
            kit_expect(&kit, PATH "/decline", JSON, body, more || by ? 400 : 202, NULL);
        }
    }
    char key[512] = JSON "Idempotency-Key: ";
    memset(key + strlen(key), 'k', 201);
    strcat(key, "\r\n");
    kit_expect(&kit, PATH "/done", key, "{\"by\":\"a\"}", 400, NULL);
    struct buffer large;
    buffer_init(&large, 1 << 20);
    buffer_append_text(&large, "{\"by\":\"a\"");
    while (large.len < 256 * 1024)
        buffer_append_char(&large, ' ');
    buffer_append_char(&large, '}');
    kit_expect(&kit, PATH "/done", JSON, large.data, 413, NULL);
    buffer_free(&large);
}

static void other_methods_are_refused(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct answer answer = kit_exchange(&kit, methods[i], PATH "/accept", JSON, span_of("{}"));
        assert_int_equal(answer.status, 405);
        assert_non_null(strstr(answer.text, "Allow: POST\r\n"));
        answer_free(&answer);
    }
}

static void token_is_wanted_where_one_is_set(void **state)
{
    (void)state;
    kit_close(&kit);
    kit_open(&kit, "{\"tl-sales\": {\"token\": \"s3cret\"}}");
    kit_wait_ready(&kit);
    kit_expect(&kit, PATH "/done", JSON, "{\"by\":\"a\"}", 401, NULL);
    kit_expect(&kit, "/handoffs/4711/done", JSON, "{\"by\":\"a\"}", 401, NULL);
    kit_expect(&kit, PATH "/done", JSON "Authorization: Bearer wrong\r\n", "{\"by\":\"a\"}", 401,
               NULL);
    kit_expect(&kit, PATH "/done", JSON "Authorization: Bearer s3cret\r\n", "{\"by\":\"a\"}", 202,
               NULL);
}

static void without_kafka_it_is_503(void **state)
{
    (void)state;
    kit_close(&kit);
    kit_open(&kit, "{\"publish_timeout\": \"500ms\"}");
    kit_wait_ready(&kit);
    rd_kafka_mock_broker_set_down(kit.mock.cluster, 1);
    struct answer answer = kit_post(&kit, PATH "/done", JSON, "{\"by\":\"a\"}");
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.text, "Retry-After: "));
    answer_free(&answer);
    rd_kafka_mock_broker_set_up(kit.mock.cluster, 1);
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_are_published),
        TEST(ids_differ_and_traces_pass),
        TEST(refusals_are_exact_and_publish_nothing),
        TEST(lengths_are_bounded),
        TEST(other_methods_are_refused),
        TEST(token_is_wanted_where_one_is_set),
        TEST(without_kafka_it_is_503),
    };
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
