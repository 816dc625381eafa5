/* A department's service that takes another configuration while it serves. */
#include <pthread.h>
#include <stdatomic.h>

#include "common/metrics.h"
#include "common/reload.h"
#include "tests/unit/intake_kit.h"

#define STRUCTURED "Content-Type: application/cloudevents+json\r\n"
#define OLD        "Authorization: Bearer old\r\n"
#define NEW        "Authorization: Bearer new\r\n"
#define EVENT(id, type)                                                                            \
    "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/crm\",\"time\":"                     \
    "\"2026-01-08T10:12:07Z\",\"type\":\"" type "\",\"data\":{\"amount\":12.5,\"currency\":"       \
    "\"EUR\",\"customer\":{\"email\":\"ann@acme.example\"}}}"
#define CALL    "{\"id\":\"c\",\"kind\":\"call\",\"at\":1767867127,\"who\":\"ann@acme.example\"}"
#define DEAL    EVENT("1", "sales.deal.won")
#define VISIT   EVENT("2", "sales.visit.made")
#define SENDERS 3
#define ROUNDS  60

static struct kit kit;
static char restart[256]; /* what the last new configuration cannot change */

static int apply(void *context, const struct config *fresh, struct buffer *names,
                 struct fault *fault)
{
    int rc = department_reload(context, fresh, names, fault);
    snprintf(restart, sizeof restart, "%s", names->len > 0 ? names->data : "");
    return rc;
}

static int reload(void)
{
    const struct reload all = {kit.mock.config, department_check, apply, kit.service};
    snprintf(restart, sizeof restart, "not asked");
    return reload_now(&all);
}

static int64_t metric_of(const char *name)
{
    return metric_value(metric_gauge(name, NULL, ""));
}

static bool failed_is_told(void)
{
    return metric_of("throughline_config_reload_failed") == 1;
}

/* The token by its file, and `more` settings of tl-sales. */
static void settings_text(char text[1024], const char *more)
{
    snprintf(text, 1024, "{\"tl-sales\": {\"token\": \"${file:%s/token}\"%s}}", kit.mock.dir, more);
}

static void write_settings(const char *more)
{
    char text[1024];
    settings_text(text, more);
    mock_write(&kit.mock, "throughline.json", text);
}

static void write_types(const char *more)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"listen\": \"127.0.0.1:0\", \"events\": {\"sales.deal.won\": {\"money\": "
             "\"promised\"}, \"sales.call.made\": {}%s}}",
             more);
    mock_write(&kit.mock, "departments/sales.json", text);
}

static int setup(void **state)
{
    (void)state;
    char signature[256];
    kit_start(&kit);
    mock_write(&kit.mock, "token", "old\n");
    mock_write(&kit.mock, "secret", "not yet known\n");
    snprintf(signature, sizeof signature,
             "{\"scheme\": \"hmac\", \"secret\": \"${file:%s/secret}\", \"header\": "
             "\"X-Signature\"}",
             kit.mock.dir);
    kit_write_source(&kit, "phone", "sales", signature);
    return 0;
}

/* With what setup has written, and more settings of tl-sales. */
static void open_kit(const char *more)
{
    char text[1024];
    settings_text(text, more);
    kit_open(&kit, text);
    kit_wait_ready(&kit);
}

static int teardown(void **state)
{
    (void)state;
    kit_stop(&kit);
    return 0;
}

static void token_rotates(void **state)
{
    (void)state;
    open_kit("");
    kit_expect(&kit, "/events", STRUCTURED OLD, DEAL, 202, NULL);
    kit_expect(&kit, "/events", STRUCTURED NEW, DEAL, 401, NULL);
    mock_write(&kit.mock, "token", "new\nold\n");
    kit_expect(&kit, "/events", STRUCTURED NEW, DEAL, 401, NULL); /* nobody asked for it yet */
    assert_int_equal(reload(), 0);
    assert_string_equal(restart, "");
    kit_expect(&kit, "/events", STRUCTURED NEW, DEAL, 202, NULL);
    kit_expect(&kit, "/events", STRUCTURED OLD, DEAL, 202, NULL);
    kit_expect(&kit, "/events", STRUCTURED "Authorization: Bearer new\told\r\n", DEAL, 401, NULL);
    kit_expect(&kit, "/events", STRUCTURED, DEAL, 401, NULL);
    mock_write(&kit.mock, "token", "new\n");
    assert_int_equal(reload(), 0);
    kit_expect(&kit, "/events", STRUCTURED OLD, DEAL, 401, NULL);
    kit_expect(&kit, "/events", STRUCTURED NEW, DEAL, 202, NULL);
}

static void post_call(int status)
{
    char signature[128];
    kit_sign(span_of(CALL), signature);
    kit_expect(&kit, "/webhooks/phone", signature, CALL, status, NULL);
}

static void webhook_secret_rotates(void **state)
{
    (void)state;
    open_kit("");
    post_call(401);
    mock_write(&kit.mock, "secret", "the next one\n" KIT_SECRET "\n");
    assert_int_equal(reload(), 0);
    post_call(202);
    mock_write(&kit.mock, "secret", "the next one\n");
    assert_int_equal(reload(), 0);
    post_call(401);
}

static void vocabulary_and_limits_change(void **state)
{
    (void)state;
    open_kit("");
    kit_expect(&kit, "/events", STRUCTURED OLD, VISIT, 400, NULL);
    write_types(", \"sales.visit.made\": {}");
    write_settings(", \"event_limit\": \"1 KiB\", \"log_level\": \"warn\"");
    assert_int_equal(reload(), 0);
    assert_string_equal(restart, "");
    kit_expect(&kit, "/events", STRUCTURED OLD, VISIT, 202, NULL);
    char large[4096];
    memset(large, ' ', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    memcpy(large, DEAL, sizeof DEAL - 1);
    kit_expect(&kit, "/events", STRUCTURED OLD, large, 413, NULL);
    write_types("");
    write_settings(", \"log_level\": \"error\"");
    assert_int_equal(reload(), 0);
    kit_expect(&kit, "/events", STRUCTURED OLD, VISIT, 400, NULL);
    kit_expect(&kit, "/events", STRUCTURED OLD, large, 202, NULL);
}

static const struct {
    const char *file, *text;
} mistakes[] = {
    {"throughline.json", "{\"tl-sales\": {\"tokne\": \"new\"}}"},
    {"throughline.json", "{\"tl-sales\": {\"token\": "},
    {"throughline.json", "{\"tl-sales\": {\"token\": \"${file:/nowhere}\"}}"},
    {"throughline.json", "{\"tl-sales\": {\"token\": \"\\n\\n\"}}"},
    {"throughline.json", "{\"tl-sales\": {\"listen\": \"0.0.0.0:1\"}}"},
    {"throughline.json", "{\"tl-sales\": {\"kafka\": {\"acks\": \"none\"}}}"},
    {"throughline.json", "{\"tl-sales\": {\"deliver_url\": \"http://127.0.0.1:1/\"}}"},
    {"departments/sales.json", "{\"events\": {\"sales.deal.won\": {\"money\": \"some\"}}}"},
    {"departments/billing.json", "[]"},
    {"sources/phone.json", "{\"department\": \"nobody\"}"},
    {"identities.json", "{\"kinds\": {\"email\": {\"strong\": \"very\"}}}"},
};

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        void *unused = NULL;
        setup(&unused);
        open_kit("");
        mock_write(&kit.mock, "token", "new\n");
        mock_write(&kit.mock, mistakes[i].file, mistakes[i].text);
        if (reload() != ERR_INVALID || !failed_is_told())
            fail_msg("%s was not refused", mistakes[i].text);
        kit_expect(&kit, "/events", STRUCTURED OLD, DEAL, 202, NULL);
        kit_expect(&kit, "/events", STRUCTURED NEW, DEAL, 401, NULL);
        if (i + 1 < sizeof mistakes / sizeof *mistakes)
            teardown(&unused);
    }
    /* Mended, it is taken. */
    mock_write(&kit.mock, mistakes[sizeof mistakes / sizeof *mistakes - 1].file,
               "{\"kinds\": {\"email\": {\"strong\": true, \"rank\": 10}}}");
    int64_t now = clock_wall_us() / 1000000;
    assert_int_equal(reload(), 0);
    assert_false(failed_is_told());
    assert_true(metric_of("throughline_config_loaded_timestamp_seconds") >= now);
    kit_expect(&kit, "/events", STRUCTURED NEW, DEAL, 202, NULL);
}

static void what_needs_a_restart_is_named(void **state)
{
    (void)state;
    open_kit(", \"request_limit\": \"2 KiB\"");
    mock_write(&kit.mock, "token", "new\n");
    write_settings(", \"request_limit\": \"4 KiB\", \"http_idle\": \"5s\", \"kafka\": "
                   "{\"socket.keepalive.enable\": true}, \"deliver_url\": "
                   "\"http://127.0.0.1:1/\", \"deliver_secret\": \"whsec_c2VjcmV0\"");
    assert_int_equal(reload(), 0);
    assert_string_equal(restart, "request_limit http_idle kafka deliver_url");
    char large[3000];
    memset(large, ' ', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    memcpy(large, DEAL, sizeof DEAL - 1);
    kit_expect(&kit, "/events", STRUCTURED NEW, large, 413, NULL);
    kit_expect(&kit, "/events", STRUCTURED NEW, DEAL, 202, NULL); /* the rest counts */
    /* Written otherwise, the same. */
    write_settings(", \"request_limit\": 2048, \"http_idle\": \"60000ms\"");
    assert_int_equal(reload(), 0);
    assert_string_equal(restart, "");
}

/* A file that is missing for a moment. */
static void secrets_that_are_missing_are_refused(void **state)
{
    (void)state;
    char path[128];
    mock_write(&kit.mock, "secret", KIT_SECRET "\n");
    setenv("TL_SECRETS", kit.mock.dir, 1);
    mock_write(&kit.mock, "TL_TOKEN", "old");
    kit_open(&kit, "{}");
    kit_wait_ready(&kit);
    snprintf(path, sizeof path, "%s/TL_TOKEN", kit.mock.dir);
    assert_int_equal(unlink(path), 0);
    int refused = reload();
    mock_write(&kit.mock, "TL_TOKEN", "old");
    mock_write(&kit.mock, "secret", "");
    int refused_too = reload();
    unsetenv("TL_SECRETS");
    assert_int_equal(refused, ERR_INVALID);
    assert_int_equal(refused_too, ERR_INVALID);
    kit_expect(&kit, "/events", STRUCTURED, DEAL, 401, NULL);
    kit_expect(&kit, "/events", STRUCTURED OLD, DEAL, 202, NULL);
    post_call(202);
}

/* Where others can reach the listener that is open, no configuration takes the token away, also one
 * that would listen elsewhere. */
static void open_listener_keeps_a_token(void **state)
{
    (void)state;
    open_kit(", \"listen\": \"0.0.0.0:0\"");
    mock_write(&kit.mock, "throughline.json", "{\"tl-sales\": {\"listen\": \"127.0.0.1:0\"}}");
    assert_int_equal(reload(), ERR_INVALID);
    kit_expect(&kit, "/events", STRUCTURED, DEAL, 401, NULL);
    write_settings(", \"listen\": \"127.0.0.1:0\"");
    assert_int_equal(reload(), 0);
    assert_string_equal(restart, "listen");
    kit_expect(&kit, "/events", STRUCTURED, DEAL, 401, NULL);
    kit_expect(&kit, "/events", STRUCTURED OLD, DEAL, 202, NULL);
}

/* --- under load --- */

static atomic_bool over;
static atomic_int wrong, accepted;

static void *send_on(void *unused)
{
    (void)unused;
    char signature[128];
    kit_sign(span_of(CALL), signature);
    while (!atomic_load(&over)) {
        struct answer event = kit_post(&kit, "/events", STRUCTURED OLD, DEAL);
        struct answer call = kit_post(&kit, "/webhooks/phone", signature, CALL);
        if (event.status != 202 || call.status != 202)
            atomic_fetch_add(&wrong, 1);
        else
            atomic_fetch_add(&accepted, 1);
        answer_free(&event);
        answer_free(&call);
    }
    return NULL;
}

/* Each configuration takes what the senders send, though no two are alike. */
static void requests_do_not_notice(void **state)
{
    (void)state;
    pthread_t senders[SENDERS];
    mock_write(&kit.mock, "secret", KIT_SECRET "\n");
    open_kit("");
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&senders[i], NULL, send_on, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        mock_write(&kit.mock, "token", i % 2 ? "old\n" : "new\nold\n");
        mock_write(&kit.mock, "secret", i % 3 ? KIT_SECRET "\n" : "other\n" KIT_SECRET "\n");
        write_types(i % 2 ? "" : ", \"sales.visit.made\": {}");
        assert_int_equal(reload(), 0);
    }
    atomic_store(&over, true);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_join(senders[i], NULL), 0);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&accepted) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(token_rotates),
        TEST(webhook_secret_rotates),
        TEST(vocabulary_and_limits_change),
        cmocka_unit_test_teardown(what_is_wrong_is_refused, teardown),
        TEST(what_needs_a_restart_is_named),
        TEST(secrets_that_are_missing_are_refused),
        TEST(open_listener_keeps_a_token),
        TEST(requests_do_not_notice),
    };
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
