/* A department's service from its start to its end, with every call failed in turn: it says that it
 * cannot start, or it works. */
#include "tests/unit/failing_door.h"

static void failure_is_over(void)
{
    if (failing_struck())
        failing_disarm();
}

/* The service from its start to its end. What starts in spite of a failure must work. */
static void open_and_close(void *unused)
{
    (void)unused;
    struct fault fault = {0};
    struct request request = requests[0];
    int rc = department_open(kit.mock.config, &kit.service, &fault);
    failure_is_over();
    if (rc != 0 && !failing_struck())
        fail_msg("%s: %s%s %s", error_name(rc), fault.file, fault.pointer, fault.detail);
    if (rc != 0)
        return;
    failing_exempt(true);
    struct reply reply = ask(&request);
    failure_is_over();
    if (!as_usual(&request, &reply) && !mock_wait(works, &request, 10000))
        complain(&request, "the service does not work", &reply);
    failing_exempt(false);
    department_close(kit.service, 2000);
    kit.service = NULL;
}

static void http_calls(void **state)
{
    (void)state;
    assert_true(failing_each("start and end", FAILING_HTTP, open_and_close, NULL) > 0);
    assert_int_equal(breaches, 0);
}

static void kafka_calls(void **state)
{
    (void)state;
    assert_true(failing_each("start and end", FAILING_KAFKA, open_and_close, NULL) > 40);
    assert_int_equal(breaches, 0);
}

static void allocations(void **state)
{
    (void)state;
    assert_true(failing_each("start and end", FAILING_ALLOCATION, open_and_close, NULL) > 300);
    assert_int_equal(breaches, 0);
}

static int setup(void **state)
{
    (void)state;
    configure();
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
        TEST(allocations),
        TEST(kafka_calls),
        TEST(http_calls),
    };
    failing_init();
    log_init("test", LOG_LEVEL_ERROR);
    if (stop_install())
        return 1;
    return failing_report(cmocka_run_group_tests(tests, NULL, NULL));
}
