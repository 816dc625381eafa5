/* POST /webhooks/<source>: who may send, what is mapped, ignored, quarantined. */
#include "tests/unit/intake_kit.h"

static struct kit kit;

#define SIGNED                                                                                     \
    "{\"scheme\": \"hmac\", \"secret\": \"${TL_TEST_SECRET}\", \"hash\": \"sha256\","              \
    " \"encoding\": \"hex\", \"header\": \"X-Signature\", \"format\": \"plain\","                  \
    " \"template\": \"{body}\"}"

#define CALL(id)                                                                                   \
    "{\"id\":\"" id "\",\"kind\":\"call\",\"at\":1767867127,\"who\":\"ann@acme.example\"}"
#define NOISE   "{\"id\":\"n\",\"kind\":\"noise\"}"
#define STRANGE "{\"id\":\"q\", \"kind\":\"strange\" }"

static int setup(void **state)
{
    (void)state;
    kit_start(&kit);
    setenv("TL_TEST_SECRET", KIT_SECRET, 1);
    kit_write_source(&kit, "shop", "sales", SIGNED);
    kit_write_source(&kit, "open", "sales", "{\"scheme\": \"none\"}");
    kit_write_source(
        &kit, "off", "sales",
        "{\"scheme\": \"basic\", \"user\": \"u\", \"password\": \"${TL_TEST_UNSET}\"}");
    kit_write_source(&kit, "other", "billing", "{\"scheme\": \"none\"}");
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

static struct answer post_signed(const char *body, const char *more_headers)
{
    char signature[128], headers[512];
    kit_sign(span_of(body), signature);
    snprintf(headers, sizeof headers, "Content-Type: application/json\r\n%s%s", signature,
             more_headers);
    return kit_post(&kit, "/webhooks/shop", headers, body);
}

static void expect_counts(const char *body, const char *counts)
{
    struct answer answer = post_signed(body, "");
    assert_int_equal(answer.status, 202);
    if (!strstr(answer.text, counts))
        fail_msg("expected %s: %s", counts, answer.text);
    answer_free(&answer);
}

static void payload_becomes_an_event(void **state)
{
    (void)state;
    struct answer answer = post_signed(CALL("c1"), "X-Topic: calls\r\nX-Other: no\r\n");
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.text, "{\"accepted\":1,\"ignored\":0,\"quarantined\":0}"));
    answer_free(&answer);

    mock_read_from_start(&kit.mock, KIT_TOPIC);
    const rd_kafka_message_t *message = kit_next(&kit);
    assert_string_equal(mock_header(message, "ce_id"), "c1");
    assert_string_equal(mock_header(message, "ce_type"), "sales.call.made");
    assert_string_equal(mock_header(message, "ce_time"), "2026-01-08T10:12:07Z");
    assert_string_equal(mock_header(message, "ce_customer"), "email=ann%40acme.example");
    assert_string_equal(mock_header(message, "throughline_source"), "");
    assert_string_equal(mock_header(message, "X-Topic"), "");
    char *data = strndup(message->payload, message->len);
    assert_non_null(strstr(data, "\"topic\":\"calls\""));
    assert_non_null(strstr(data, "\"payload\":" CALL("c1")));
    free(data);
}

static void unmapped_is_quarantined_with_what_replay_needs(void **state)
{
    (void)state;
    static const char body[] = " " STRANGE "\n"; /* to the last blank, as it was signed */
    struct answer answer = post_signed(body, "x-topic: calls\r\nX-Other: no\r\n");
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.text, "{\"accepted\":0,\"ignored\":0,\"quarantined\":1}"));
    answer_free(&answer);

    mock_read_from_start(&kit.mock, KIT_TOPIC);
    const rd_kafka_message_t *message = kit_next(&kit);
    assert_null(message->key);
    assert_int_equal(message->len, strlen(body));
    assert_memory_equal(message->payload, body, message->len);
    assert_string_equal(mock_header(message, "throughline_source"), "shop");
    assert_true(mock_header(message, "throughline_reason")[0]);
    assert_string_equal(mock_header(message, "X-Topic"), "calls");
    assert_string_equal(mock_header(message, "X-Other"), "");
    assert_string_equal(mock_header(message, "X-Signature"), "");
    assert_string_equal(mock_header(message, "ce_id"), "");
    assert_int_equal(kit_drain(&kit, 200), 0);
}

static void inadmissible_is_quarantined_with_the_reason(void **state)
{
    (void)state;
    /* Mapped well, but it lies in the future. */
    expect_counts("{\"id\":\"f\",\"kind\":\"call\",\"at\":4102444800,\"who\":\"ann@acme.example\"}",
                  "\"quarantined\":1");
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    const rd_kafka_message_t *message = kit_next(&kit);
    const char *reason = mock_header(message, "throughline_reason");
    if (!strstr(reason, "24 h"))
        fail_msg("reason: %s", reason);
}

static void elements_are_counted_each(void **state)
{
    (void)state;
    expect_counts("[" CALL("1") "," NOISE "," STRANGE "," CALL("2") "," NOISE ",7]",
                  "{\"accepted\":2,\"ignored\":2,\"quarantined\":2}");
    expect_counts("[" NOISE "]", "{\"accepted\":0,\"ignored\":1,\"quarantined\":0}");
    expect_counts("[]", "{\"accepted\":0,\"ignored\":0,\"quarantined\":0}");
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    assert_int_equal(kit_drain(&kit, 700), 4);
}

static void too_many_elements_are_one_record(void **state)
{
    (void)state;
    struct buffer body;
    buffer_init(&body, 1 << 20);
    buffer_append_char(&body, '[');
    for (int i = 0; i < 1001; i++)
        buffer_append_text(&body, i ? ",0" : "0");
    buffer_append_char(&body, ']');
    expect_counts(body.data, "{\"accepted\":0,\"ignored\":0,\"quarantined\":1}");
    buffer_free(&body);
}

static void expect_whole_quarantined(const char *body)
{
    expect_counts(body, "{\"accepted\":0,\"ignored\":0,\"quarantined\":1}");
}

/* A tree of them would take many times the memory of the body. */
static void too_many_values_are_one_record(void **state)
{
    (void)state;
    struct buffer body;
    buffer_init(&body, 1 << 20);
    buffer_append_text(&body, "{\"id\":\"w\",\"kind\":\"noise\",\"all\":[0");
    for (int i = 0; i < 49990; i++)
        buffer_append_text(&body, ",0");
    size_t kept = body.len;
    buffer_append_text(&body, "]}");
    expect_counts(body.data, "\"ignored\":1");
    body.len = kept;
    for (int i = 0; i < 10; i++)
        buffer_append_text(&body, ",0");
    buffer_append_text(&body, "]}");
    expect_whole_quarantined(body.data);
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    const rd_kafka_message_t *message = kit_next(&kit);
    assert_int_equal(message->len, body.len);
    assert_string_equal(mock_header(message, "throughline_reason"),
                        "more than 50000 values in one request");
    body.data[body.len - 1] = ']'; /* and what is no JSON is none, however long */
    char signature[128];
    kit_sign(buffer_span(&body), signature);
    kit_expect(&kit, "/webhooks/shop", signature, body.data, 400, NULL);
    buffer_free(&body);
}

/* Authentic JSON by RFC 8259 that cannot be held: never refused. */
static void json_beyond_bounds_is_quarantined_as_it_came(void **state)
{
    (void)state;
    enum { DEEP = 200 };
    char deep[2 * DEEP + 1];
    memset(deep, '[', DEEP);
    memset(deep + DEEP, ']', DEEP);
    deep[2 * DEEP] = '\0';
    const struct {
        const char *body, *reason;
    } rows[] = {
        {"{\"id\": {\"a\": 9223372036854775808} }", "/id/a the number is too large"},
        {"[1, 1e400]", "400 digits"},
        {" {\"id\":\"1\",\"id\":\"2\"}\n", "twice"},
        {"{\"id\":\"a\\u0000b\"}", "\\u0000"},
        {"{\"id\":\"\\ud800\"}", "surrogate"},
        {"\xEF\xBB\xBF{\"id\":\"\\udc00\\ud800\"}", "surrogate"},
        {deep, "nested too deeply"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_whole_quarantined(rows[i].body);
    bool seen[sizeof rows / sizeof *rows] = {false};
    mock_read_from_start(&kit.mock, KIT_TOPIC); /* without a key they go to any partition */
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        const rd_kafka_message_t *message = kit_next(&kit);
        const struct span value = {message->payload, message->len};
        const char *reason = mock_header(message, "throughline_reason");
        assert_string_equal(mock_header(message, "throughline_source"), "shop");
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (span_is(value, rows[i].body)) {
                seen[i] = true;
                if (!strstr(reason, rows[i].reason))
                    fail_msg("row %zu: %s", i, reason);
            }
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(seen[i]);
    assert_int_equal(kit_drain(&kit, 200), 0);
}

static void refusals_are_exact(void **state)
{
    (void)state;
    char good[128], of_another[128];
    kit_sign(span_of(CALL("1")), good);
    kit_sign(span_of(CALL("2")), of_another);
    char cut[128];
    snprintf(cut, sizeof cut, "%.40s\r\n", good);
    char twice[256];
    snprintf(twice, sizeof twice, "%s%s", good, good);
    char no_json[128];
    kit_sign(span_of("id=1&kind=call"), no_json);
    char broken[128];
    kit_sign(span_of("{\"id\":"), broken);
    char overlong[128]; /* JSON is UTF-8 */
    kit_sign(span_of("\"\xC0\xA0\""), overlong);
    char half[128]; /* past our bounds, and then no JSON after all */
    kit_sign(span_of("[\"\\u0000\", 1e999"), half);
    char nothing[128];
    kit_sign(span_of(""), nothing);
    const struct {
        const char *path, *headers, *body;
        int status;
    } rows[] = {
        {"/webhooks/shop", good, CALL("1"), 202},
        {"/webhooks/shop?x=y", good, CALL("1"), 202},
        {"/webhooks/shop", "", CALL("1"), 401},
        {"/webhooks/shop", of_another, CALL("1"), 401},
        {"/webhooks/shop", cut, CALL("1"), 401},
        {"/webhooks/shop", twice, CALL("1"), 401},
        {"/webhooks/shop", good, CALL("1") " ", 401},
        {"/webhooks/shop", "", "{", 401}, /* the signature first */
        {"/webhooks/shop", no_json, "id=1&kind=call", 400},
        {"/webhooks/shop", broken, "{\"id\":", 400},
        {"/webhooks/shop", overlong, "\"\xC0\xA0\"", 400},
        {"/webhooks/shop", half, "[\"\\u0000\", 1e999", 400},
        {"/webhooks/shop", nothing, "", 400},
        {"/webhooks/none", good, CALL("1"), 404},
        {"/webhooks/", good, CALL("1"), 404},
        {"/webhooks/shop/more", good, CALL("1"), 404},
        {"/webhooks/other", "", CALL("1"), 404},
        {"/webhooks/off", "Authorization: Basic dTo=\r\n", CALL("1"), 404},
        {"/webhooks/open", "", CALL("1"), 202},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer answer = kit_post(&kit, rows[i].path, rows[i].headers, rows[i].body);
        if (answer.status != rows[i].status)
            fail_msg("row %zu: %s", i, answer.text);
        answer_free(&answer);
    }
    mock_read_from_start(&kit.mock, KIT_TOPIC);
    assert_int_equal(kit_drain(&kit, 700), 3);
}

/* A bearer token would not help: it must not be asked for. */
static void refusal_tells_what_is_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *path, *challenge;
    } rows[] = {{"/webhooks/shop", "\r\nWWW-Authenticate: Signature\r\n"},
                {"/webhooks/private", "\r\nWWW-Authenticate: Basic realm=\"webhooks\"\r\n"}};
    kit_close(&kit);
    kit_write_source(&kit, "private", "sales",
                     "{\"scheme\": \"basic\", \"user\": \"u\", \"password\": \"p\"}");
    kit_open(&kit, "{}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer answer = kit_post(&kit, rows[i].path, "", CALL("1"));
        assert_int_equal(answer.status, 401);
        if (!strstr(answer.text, rows[i].challenge))
            fail_msg("row %zu: %s", i, answer.text);
        answer_free(&answer);
    }
}

/* A source without a signature: where there is a token, it is wanted, on loopback
 * too, since strangers may come through a proxy. */
static void open_source_wants_the_token(void **state)
{
    (void)state;
    static const char *const listen[] = {"0.0.0.0:0", "127.0.0.1:0"};
    for (size_t i = 0; i < sizeof listen / sizeof *listen; i++) {
        char settings[128];
        snprintf(settings, sizeof settings,
                 "{\"tl-sales\": {\"listen\": \"%s\", \"token\": \"s3cret\"}}", listen[i]);
        kit_close(&kit);
        kit_open(&kit, settings);
        kit_wait_ready(&kit);
        kit_expect(&kit, "/webhooks/open", "", CALL("1"), 401, NULL);
        kit_expect(&kit, "/webhooks/open", "Authorization: Bearer s3cret\r\n", CALL("1"), 202,
                   NULL);
        struct answer answer = post_signed(CALL("1"), ""); /* the signature is credential enough */
        assert_int_equal(answer.status, 202);
        answer_free(&answer);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(payload_becomes_an_event),
        TEST(unmapped_is_quarantined_with_what_replay_needs),
        TEST(inadmissible_is_quarantined_with_the_reason),
        TEST(elements_are_counted_each),
        TEST(too_many_elements_are_one_record),
        TEST(too_many_values_are_one_record),
        TEST(json_beyond_bounds_is_quarantined_as_it_came),
        TEST(refusals_are_exact),
        TEST(refusal_tells_what_is_wanted),
        TEST(open_source_wants_the_token),
    };
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
