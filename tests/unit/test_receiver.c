/* What a receiver's answers mean, what its settings must be, and what is sent to it. */
#include "tests/unit/kafka_mock.h"

#include "common/http/http_client.h"
#include "common/http/http_server.h"
#include "common/http/signature.h"
#include "services/department/receiver.h"

#define SECRET "whsec_c2VjcmV0LWtleS1mb3ItdGVzdHMhMg=="

static char dir[] = "/tmp/throughline-unit-XXXXXX";
static struct config *config;

static void configure(const char *settings)
{
    char path[128];
    struct fault fault = {.detail = ""};
    snprintf(path, sizeof path, "%s/throughline.json", dir);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(settings, file);
    assert_int_equal(fclose(file), 0);
    config_free(config);
    if (config_load(dir, "tl-sales", PROGRAM_DEPARTMENT, &config, &fault) != 0)
        fail_msg("%s %s", fault.pointer, fault.detail);
}

static void statuses_mean_something(void **state)
{
    (void)state;
    static const int taken[] = {200, 201, 202, 204, 299};
    static const int refused[] = {400, 409, 410, 413, 415, 422};
    static const int failed[] = {0,   100, 199, 401, 402, 403, 404, 405, 408, 411,
                                 425, 429, 451, 499, 500, 502, 503, 504, 599, 999};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        assert_int_equal(receiver_outcome(taken[i]), DELIVERY_TAKEN);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(receiver_outcome(refused[i]), DELIVERY_REFUSED);
    for (size_t i = 0; i < sizeof failed / sizeof *failed; i++)
        assert_int_equal(receiver_outcome(failed[i]), DELIVERY_FAILED);
}

static void settings_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *pointer; /* NULL: they are fine */
    } rows[] = {
        {"{}", NULL},
        {"{\"deliver_secret\": \"of nothing\"}", NULL}, /* not looked at without a URL */
        {"{\"deliver_url\": \"http://x/\"}", "/deliver_secret"},
        {"{\"deliver_url\": \"http://x/\", \"deliver_secret\": \"whsec_\"}", "/deliver_secret"},
        {"{\"deliver_url\": \"http://x/\", \"deliver_secret\": \"geheim!\"}", "/deliver_secret"},
        {"{\"deliver_url\": \"http://x/\", \"deliver_secret\": \"" SECRET "\"}", NULL},
        {"{\"deliver_url\": \"https://u:p@x:8443/y?z=1\", \"deliver_secret\": \"" SECRET "\"}",
         NULL},
        {"{\"deliver_url\": \"http://x/\", \"deliver_secret\": \"YQ==\\nYg==\\nYw==\\nZA==\\n\"}",
         NULL},
        {"{\"deliver_url\": \"http://x/\", \"deliver_secret\": \"YQ==\\n\\nof nothing\"}",
         "/deliver_secret"},
        {"{\"deliver_url\": \"http://x/\", \"deliver_secret\": "
         "\"YQ==\\nYg==\\nYw==\\nZA==\\nZQ==\"}",
         "/deliver_secret"},
        {"{\"deliver_url\": \"x/y\", \"deliver_secret\": \"" SECRET "\"}", "/deliver_url"},
        {"{\"deliver_url\": \"http://\", \"deliver_secret\": \"" SECRET "\"}", "/deliver_url"},
        {"{\"deliver_url\": \"file:///x\", \"deliver_secret\": \"" SECRET "\"}", "/deliver_url"},
        {"{\"deliver_url\": \"http://a b/\", \"deliver_secret\": \"" SECRET "\"}", "/deliver_url"},
        {"{\"deliver_url\": \"https://x/\", \"deliver_secret\": \"" SECRET "\","
         " \"deliver_ca_file\": \"/nowhere\"}",
         "/deliver_ca_file"},
        {"{\"deliver_url\": \"https://x/\", \"deliver_secret\": \"" SECRET "\","
         " \"deliver_ca_file\": \"/etc/passwd\"}",
         "/deliver_ca_file"},
        {"{\"deliver_url\": \"https://x/\", \"deliver_secret\": \"" SECRET "\","
         " \"deliver_ca_file\": \"/tmp\"}",
         "/deliver_ca_file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.detail = ""};
        configure(rows[i].settings);
        int rc = receiver_check(config, &fault);
        if (rc != (rows[i].pointer ? ERR_INVALID : 0) ||
            strcmp(fault.pointer, rows[i].pointer ? rows[i].pointer : "") != 0)
            fail_msg("%s: %d %s %s", rows[i].settings, rc, fault.pointer, fault.detail);
        assert_null(strstr(fault.detail, "geheim"));
    }
}

static void origins_have_no_secrets(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"http://crm.example/handoffs", "http://crm.example"},
        {"https://user:geheim@crm.example:8443/in/geheim?key=geheim#geheim",
         "https://crm.example:8443"},
        {"https://[::1]:8443/", "https://[::1]:8443"},
        {"nonsense", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char origin[HTTP_ORIGIN_SIZE];
        http_client_origin(rows[i][0], origin);
        assert_string_equal(origin, rows[i][1]);
    }
}

/* A receiver's front door, which keeps what came last. */

static struct {
    char body[512], id[64], timestamp[64], signature[128], type[128], trace[64];
    int answer;
    const char *retry_after;
} got;

static void keep(char *text, size_t size, struct span value)
{
    snprintf(text, size, "%.*s", SPAN_ARGS(value));
}

static void receive(struct http_request *request, void *context)
{
    (void)context;
    keep(got.body, sizeof got.body, http_request_body(request));
    keep(got.id, sizeof got.id, http_request_header(request, "webhook-id"));
    keep(got.timestamp, sizeof got.timestamp, http_request_header(request, "webhook-timestamp"));
    keep(got.signature, sizeof got.signature, http_request_header(request, "webhook-signature"));
    keep(got.type, sizeof got.type, http_request_header(request, "content-type"));
    keep(got.trace, sizeof got.trace, http_request_header(request, "traceparent"));
    const struct http_header headers[] = {{got.retry_after ? "Retry-After" : NULL, got.retry_after},
                                          {NULL, NULL}};
    http_respond(request, got.answer, "text/plain", span_of("never told"), headers);
}

static const struct http_route routes[] = {{"POST", "/in", receive, NULL}};
static struct http_server *server;

static int start(void **state)
{
    (void)state;
    const struct http_server_options options = {.listen = "127.0.0.1:0",
                                                .routes = routes,
                                                .route_count = 1,
                                                .body_limit = 1024,
                                                .memory_limit = 1024 * 1024,
                                                .connection_limit = 2,
                                                .read_deadline_ms = 5000,
                                                .idle_ms = 5000};
    if (!mkdtemp(dir))
        return -1;
    return http_server_start(&options, &server);
}

static int stop(void **state)
{
    char command[128];
    (void)state;
    http_server_stop(server, 1000);
    config_free(config);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static struct receiver *open_receiver(void)
{
    static atomic_bool cut;
    char settings[512];
    struct receiver *receiver;
    snprintf(settings, sizeof settings,
             "{\"deliver_url\": \"http://127.0.0.1:%d/in\", \"deliver_secret\": \"" SECRET "\","
             " \"deliver_retry_ceiling\": \"20s\"}",
             http_server_port(server));
    configure(settings);
    assert_int_equal(receiver_new(config, &cut, &receiver), 0);
    return receiver;
}

static void change_is_posted_and_signed(void **state)
{
    (void)state;
    char id[] = "h/1", type[] = "throughline.handoff.opened", body[] = "{\"data\":{}}",
         trace[] = "00-a-b-01", signature[80];
    struct handoff_change change = {
        .event_id = id, .type = type, .traceparent = trace, .body = body, .body_len = strlen(body)};
    struct receiver *receiver = open_receiver();
    struct receipt receipt;
    got.answer = 204;
    receiver_post(receiver, &change, 1700000000, &receipt);
    assert_int_equal(receipt.outcome, DELIVERY_TAKEN);
    assert_int_equal(receipt.retry_after_ms, -1);
    assert_string_equal(got.body, body);
    assert_string_equal(got.id, "h/1");
    assert_string_equal(got.timestamp, "1700000000");
    assert_string_equal(got.type, "application/cloudevents+json; charset=UTF-8");
    assert_string_equal(got.trace, "00-a-b-01");
    assert_int_equal(signature_standard_webhook(SECRET, span_of("h/1"), 1700000000, span_of(body),
                                                signature, sizeof signature),
                     0);
    assert_string_equal(got.signature, signature);
    change.traceparent = NULL;
    receiver_post(receiver, &change, 1700000000, &receipt);
    assert_string_equal(got.trace, "");
    receiver_free(receiver);
    receiver_free(NULL);
}

static void answers_are_told(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *retry_after;
        int64_t wait_ms;
    } rows[] = {{503, "7", 7000}, {429, "3600", 20000}, {500, NULL, -1}, {422, "soon", -1}};
    char id[] = "h/1", body[] = "{}", wanted[64];
    struct handoff_change change = {.event_id = id, .body = body, .body_len = 2};
    struct receiver *receiver = open_receiver();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct receipt receipt;
        got.answer = rows[i].status;
        got.retry_after = rows[i].retry_after;
        receiver_post(receiver, &change, 1, &receipt);
        snprintf(wanted, sizeof wanted, "answered %d", rows[i].status);
        assert_string_equal(receipt.detail, wanted);
        assert_int_equal(receipt.outcome, receiver_outcome(rows[i].status));
        assert_int_equal(receipt.retry_after_ms, rows[i].wait_ms);
    }
    got.retry_after = NULL;
    receiver_free(receiver);
}

static void nobody_there_is_a_failure(void **state)
{
    (void)state;
    char id[] = "h/1", body[] = "{}";
    struct handoff_change change = {.event_id = id, .body = body, .body_len = 2};
    struct receiver *receiver;
    struct receipt receipt;
    configure("{\"deliver_url\": \"http://ann:geheim@127.0.0.1:1/in?geheim\", \"deliver_secret\": "
              "\"" SECRET "\"}");
    assert_int_equal(receiver_new(config, NULL, &receiver), 0);
    receiver_post(receiver, &change, 1, &receipt);
    assert_int_equal(receipt.outcome, DELIVERY_FAILED);
    assert_non_null(strstr(receipt.detail, "did not answer: "));
    assert_null(strstr(receipt.detail, "geheim"));
    receiver_free(receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_mean_something), cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(origins_have_no_secrets), cmocka_unit_test(change_is_posted_and_signed),
        cmocka_unit_test(answers_are_told),        cmocka_unit_test(nobody_there_is_a_failure),
    };
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    log_init("test", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, start, stop);
}
