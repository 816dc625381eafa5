/* Asking a service whether it is ready: where, and what is said of the answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/http_server.h"
#include "common/http/problem.h"
#include "common/http/readiness.h"
#include "tests/unit/http_kit.h"

static const struct {
    const char *listen, *address; /* NULL: nobody can ask there */
} rows[] = {
    {"127.0.0.1:8101", "127.0.0.1:8101"},
    {"0.0.0.0:8101", "127.0.0.1:8101"},
    {":8101", "127.0.0.1:8101"},
    {"[::]:8101", "127.0.0.1:8101"},
    {"[0:0::0]:8101", "127.0.0.1:8101"},
    {"[::1]:8101", "[::1]:8101"},
    {"10.1.2.3:80", "10.1.2.3:80"},
    {"localhost:1", "localhost:1"},
    {"127.0.0.1:0", NULL},
    {"127.0.0.1", NULL},
    {"::1:8101", NULL},
    {"127.0.0.1:70000", NULL},
    {"", NULL},
};

static void where_to_ask(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char address[64] = "";
        struct fault fault = {0};
        int rc = readiness_address(rows[i].listen, address, sizeof address, &fault);
        if (rc != (rows[i].address ? 0 : ERR_INVALID) ||
            (rows[i].address && strcmp(address, rows[i].address) != 0))
            fail_msg("%s gave %d, %s", rows[i].listen, rc, address);
        assert_string_equal(fault.pointer, rc ? "/listen" : "");
    }
    char small[8];
    assert_int_equal(readiness_address("127.0.0.1:8101", small, sizeof small, NULL), ERR_INVALID);
}

static void words_of_an_answer(void **state)
{
    (void)state;
    char text[READINESS_TEXT], body[2000] = "{\"detail\": \"";
    readiness_words("h:1", 503, span_of("{\"detail\": \"Kafka: no\\nbroker\"}"), text);
    assert_string_equal(text, "h:1 is not ready (503): Kafka: no broker");
    readiness_words("h:1", 404, span_of("<html>"), text);
    assert_string_equal(text, "h:1 is not ready (404)");
    readiness_words("h:1", 503, span_of("{\"detail\": 7}"), text);
    assert_string_equal(text, "h:1 is not ready (503)");
    readiness_words("h:1", 503, (struct span){NULL, 0}, text);
    assert_string_equal(text, "h:1 is not ready (503)");
    memset(body + strlen(body), 'x', 1500);
    strcat(body, "\"}");
    readiness_words("h:1", 503, span_of(body), text);
    assert_int_equal(strlen(text), READINESS_TEXT - 1);
}

static atomic_int answers_with; /* 0: never */
static _Atomic(struct http_request *) hanging;

static void readyz(struct http_request *request, void *context)
{
    (void)context;
    int status = atomic_load(&answers_with);
    if (status == 0)
        atomic_store(&hanging, request);
    else if (status == 200)
        http_respond(request, 200, NULL, (struct span){NULL, 0}, NULL);
    else
        http_respond_problem(request, status, "Kafka: no broker answers", NULL, 0);
}

static void a_service(void **state)
{
    (void)state;
    const struct http_route route = {"GET", "/readyz", readyz, NULL};
    const struct http_server_options options = {.listen = "0.0.0.0:0",
                                                .routes = &route,
                                                .route_count = 1,
                                                .body_limit = 1024,
                                                .memory_limit = 1024 * 1024,
                                                .connection_limit = 8,
                                                .read_deadline_ms = 20000,
                                                .idle_ms = 20000};
    struct http_server *server;
    char listen[64], expected[256], text[READINESS_TEXT];
    struct fault fault = {0};
    /* A proxy that is nowhere: nobody asks it. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    unsetenv("no_proxy");
    assert_int_equal(http_server_start(&options, &server), 0);
    snprintf(listen, sizeof listen, "0.0.0.0:%d", http_server_port(server));

    atomic_store(&answers_with, 200);
    assert_int_equal(readiness_of_own(listen, false, &fault), 0);
    atomic_store(&answers_with, 503);
    assert_int_equal(readiness_of_own(listen, false, &fault), ERR_BUSY);
    snprintf(expected, sizeof expected, "127.0.0.1:%d is not ready (503): Kafka: no broker answers",
             http_server_port(server));
    assert_string_equal(fault.detail, expected);

    /* One that hangs is given up. */
    atomic_store(&answers_with, 0);
    int64_t since = clock_monotonic_ms();
    assert_int_equal(readiness_ask(listen, 300, text), ERR_BUSY);
    assert_true(clock_monotonic_ms() - since < 10000);
    assert_non_null(strstr(text, " does not answer: "));
    if (atomic_load(&hanging))
        http_respond(atomic_load(&hanging), 200, NULL, (struct span){NULL, 0}, NULL);

    /* Nobody is there. */
    http_server_stop(server, 0);
    assert_int_equal(readiness_of_own(listen, false, &fault), ERR_BUSY);
    assert_non_null(strstr(fault.detail, " does not answer: "));
    assert_int_equal(readiness_of_own("127.0.0.1:0", false, &fault), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_to_ask),
        cmocka_unit_test(words_of_an_answer),
        cmocka_unit_test(a_service),
    };
    log_init("test", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
