/* Another configuration for a department's service that serves, with every call failed in turn: it
 * goes over to it, or nothing has changed. */
#include "common/reload.h"
#include "tests/unit/failing_door.h"

static char token[2][32]; /* what counts, and what would after the reload */
static int turn;

static void write_token(void)
{
    snprintf(token[1], sizeof *token, "token-%d", ++turn);
    mock_write(&kit.mock, "token", token[1]);
}

/* 202 for the one that counts, 401 for the other. */
static void check_token(const char *name, int status)
{
    char headers[128];
    struct request request = requests[0];
    snprintf(headers, sizeof headers, STRUCTURED "Authorization: Bearer %s\r\n", name);
    request.headers = headers;
    request.status = status;
    request.answer = NULL;
    struct reply reply = ask(&request);
    if (!as_usual(&request, &reply))
        complain(&request, name, &reply);
}

static void reload_once(void *unused)
{
    (void)unused;
    const struct reload reload = {kit.mock.config, department_check, department_reload,
                                  kit.service};
    write_token();
    int rc = reload_now(&reload);
    failing_disarm();
    failing_exempt(true);
    if (rc != 0 && !failing_struck())
        fail_msg("nothing failed, and yet: %s", error_name(rc));
    check_token(token[rc == 0], 202);
    check_token(token[rc != 0], 401);
    if (metric_value(metric_gauge("throughline_config_reload_failed", NULL, "")) != (rc != 0))
        fail_msg("the metric does not tell: %s", failing_point());
    if (rc == 0)
        memcpy(token[0], token[1], sizeof *token);
    failing_exempt(false);
}

static void allocations(void **state)
{
    (void)state;
    assert_true(failing_each("a reload", FAILING_ALLOCATION, reload_once, NULL) > 300);
    assert_int_equal(breaches, 0);
}

static int setup(void **state)
{
    (void)state;
    char settings[512];
    configure();
    snprintf(token[0], sizeof *token, "token-0");
    mock_write(&kit.mock, "token", token[0]);
    snprintf(settings, sizeof settings,
             "{\"tl-sales\": {\"publish_linger\": \"0ms\", \"token\": \"${file:%s/token}\", "
             "\"deliver_url\": \"http://127.0.0.1:1/\", \"deliver_secret\": \"whsec_c2VjcmV0\", "
             "\"deliver_threads\": 2}}",
             kit.mock.dir);
    kit_open(&kit, settings);
    kit_wait_ready(&kit);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_stop(&kit);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(allocations, setup, teardown)};
    failing_init();
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return failing_report(cmocka_run_group_tests(tests, NULL, NULL));
}
