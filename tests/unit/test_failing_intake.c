/* The front door with every call failed in turn, from the HTTP request to the answer. */
#include "tests/unit/failing_door.h"

static struct metric *queued;
static uint64_t usual; /* what the request says to Kafka without a failure */

static bool nothing_waits(void *unused)
{
    (void)unused;
    return metric_value(queued) == 0;
}

static void judge(const struct request *request, const struct reply *reply, int64_t stored,
                  uint64_t said)
{
    bool too_large = reply->status == 413 && struck("rd_kafka_producev");
    if (!as_usual(request, reply) && reply->status != 503 && reply->status != 0 && !too_large)
        complain(request, "not the answer", reply);
    if (reply->status == 202 && stored < request->records)
        complain(request, "202, but Kafka does not have it all", reply);
    if (reply->status == 202 && said != usual)
        complain(request, "202, but Kafka was told something else", reply);
}

static void one_request(void *context)
{
    struct request *request = context;
    int64_t before = failing_stored();
    uint64_t said = failing_produced();
    failing_exempt(true);
    struct reply reply = ask(request);
    failing_disarm();
    judge(request, &reply, failing_stored() - before, failing_produced() - said);
    if (failing_struck() && !mock_wait(works, request, 10000))
        complain(request, "does not work any more", &reply);
    if (!mock_wait(nothing_waits, NULL, 10000))
        complain(request, "records are left in the queue", &reply);
    failing_exempt(false);
}

static void each_request(enum failing_kind kind, size_t least)
{
    size_t failed = 0;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct request request = requests[i];
        uint64_t said = failing_produced();
        assert_true(works(&request));
        usual = failing_produced() - said;
        assert_true((usual != 0) == (request.records > 0));
        failed += failing_each(request.name, kind, one_request, &request);
    }
    assert_true(failed >= least);
    assert_int_equal(breaches, 0);
}

static void allocations(void **state)
{
    (void)state;
    each_request(FAILING_ALLOCATION, 100);
}

static void kafka_calls(void **state)
{
    (void)state;
    each_request(FAILING_KAFKA, 40);
}

static void http_calls(void **state)
{
    (void)state;
    each_request(FAILING_HTTP, 40);
}

static int setup(void **state)
{
    struct fault fault = {0};
    (void)state;
    configure();
    if (department_open(kit.mock.config, &kit.service, &fault))
        fail_msg("%s%s: %s", fault.file, fault.pointer, fault.detail);
    kit_wait_ready(&kit);
    queued = metric_gauge("throughline_publish_queue_records", NULL, "");
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
