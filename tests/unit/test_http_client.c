/* The HTTP client against our own server, and against sockets that misbehave. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/http/http_client.h"
#include "common/http/http_server.h"
#include "common/http/problem.h"
#include "tests/unit/http_kit.h"

#define BODY_LIMIT 1000
#define TIMEOUT_MS 300

static char over[BODY_LIMIT + 1];

static void answer_echo(struct http_request *request, void *context)
{
    (void)context;
    struct span type = http_request_header(request, "Content-Type");
    struct span expect = http_request_header(request, "Expect");
    char text[128];
    snprintf(text, sizeof text, "%.*s|%.*s|%.*s", SPAN_ARGS(type), SPAN_ARGS(expect),
             SPAN_ARGS(http_request_body(request)));
    http_respond(request, 202, "text/plain", span_of(text), NULL);
}

static void answer_limit(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, NULL, (struct span){over, BODY_LIMIT}, NULL);
}

static void answer_over(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, NULL, (struct span){over, sizeof over}, NULL);
}

/* The path's rest is the value of Retry-After. */
static void answer_retry(struct http_request *request, void *context)
{
    (void)context;
    char value[64];
    struct span path = http_request_path(request);
    snprintf(value, sizeof value, "%.*s", (int)path.len - 7, path.ptr + 7);
    http_respond_problem_with(request, 503, "busy", NULL, 0,
                              (struct http_header[]){{"Retry-After", value}, {NULL, NULL}});
}

static void answer_redirect(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 302, NULL, (struct span){NULL, 0},
                 (struct http_header[]){{"Location", "/limit"}, {NULL, NULL}});
}

static _Atomic(struct http_request *) hanging; /* set on the server's thread */

static void answer_never(struct http_request *request, void *context)
{
    (void)context;
    hanging = request;
}

static const struct http_route routes[] = {
    {"POST", "/echo", answer_echo, NULL},        {"GET", "/limit", answer_limit, NULL},
    {"GET", "/over", answer_over, NULL},         {"GET", "/retry/*", answer_retry, NULL},
    {"GET", "/redirect", answer_redirect, NULL}, {"GET", "/never", answer_never, NULL},
};

static struct http_server *server;
static struct http_client *client;
static atomic_bool cut;

static int start(void **state)
{
    (void)state;
    const struct http_server_options options = {.listen = "127.0.0.1:0",
                                                .routes = routes,
                                                .route_count = sizeof routes / sizeof *routes,
                                                .body_limit = 1024,
                                                .memory_limit = 1024 * 1024,
                                                .connection_limit = 2,
                                                .read_deadline_ms = 5000,
                                                .idle_ms = 5000};
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    const struct http_client_options limits = {
        .timeout_ms = TIMEOUT_MS, .body_limit = BODY_LIMIT, .cut = &cut};
    int rc = http_server_start(&options, &server);
    return rc ? rc : http_client_new(&limits, &client);
}

static int stop(void **state)
{
    (void)state;
    http_client_free(client);
    http_client_free(NULL);
    http_server_stop(server, 0);
    if (hanging)
        http_respond(hanging, 200, NULL, (struct span){NULL, 0}, NULL);
    return 0;
}

static int get_from(int port, const char *path, struct http_answer *answer)
{
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    return http_client_get(client, url, NULL, answer);
}

static int get(const char *path, struct http_answer *answer)
{
    return get_from(http_server_port(server), path, answer);
}

static void posts_and_reads_the_answer(void **state)
{
    (void)state;
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/echo", http_server_port(server));
    const char *headers[] = {"Content-Type: application/json", NULL};
    for (int i = 0; i < 20; i++) { /* by one connection: the server takes two at most */
        struct http_answer answer;
        assert_int_equal(http_client_post(client, url, headers, span_of("{}"), &answer), 0);
        assert_int_equal(answer.status, 202);
        assert_int_equal(answer.retry_after_s, -1);
        assert_true(span_is(buffer_span(&answer.body), "application/json||{}"));
        http_answer_free(&answer);
    }
    struct http_answer answer;
    assert_int_equal(http_client_post(client, url, headers, (struct span){NULL, 0}, &answer), 0);
    assert_true(span_is(buffer_span(&answer.body), "application/json||"));
    http_answer_free(&answer);
}

static void a_get_after_a_post_is_a_get(void **state)
{
    (void)state;
    struct http_answer answer;
    assert_int_equal(get("/limit", &answer), 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.len, BODY_LIMIT);
    http_answer_free(&answer);
}

static void an_answer_over_the_limit_is_none(void **state)
{
    (void)state;
    struct http_answer answer;
    assert_int_equal(get("/over", &answer), ERR_LIMIT);
    assert_int_equal(answer.status, 0);
    assert_int_equal(answer.body.len, 0);
    assert_non_null(strstr(answer.error, "1000 bytes"));
    http_answer_free(&answer);
}

static void reads_retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int least, most;
    } cases[] = {
        {"7", 7, 7},
        {"0", 0, 0},
        {"99999999999999999999", 86400, 86400},
        {"soon", -1, -1},
        {"-5", -1, -1},
        {"Sun,%2006%20Nov%201994%2008:49:37%20GMT", 0, 0},
        {"Fri,%2006%20Nov%202093%2008:49:37%20GMT", 86400, 86400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        struct http_answer answer;
        snprintf(path, sizeof path, "/retry/%s", cases[i].value);
        assert_int_equal(get(path, &answer), 0);
        assert_int_equal(answer.status, 503);
        if (answer.retry_after_s < cases[i].least || answer.retry_after_s > cases[i].most)
            fail_msg("%s: %d", cases[i].value, answer.retry_after_s);
        http_answer_free(&answer);
    }
}

static void reads_retry_after_as_a_date(void **state)
{
    (void)state;
    time_t at = time(NULL) + 100;
    struct tm tm;
    char path[128];
    strftime(path, sizeof path, "/retry/%a,%%20%d%%20%b%%20%Y%%20%T%%20GMT", gmtime_r(&at, &tm));
    struct http_answer answer;
    assert_int_equal(get(path, &answer), 0);
    assert_in_range(answer.retry_after_s, 90, 100);
    http_answer_free(&answer);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    struct http_answer answer;
    assert_int_equal(get("/redirect", &answer), 0);
    assert_int_equal(answer.status, 302);
    assert_int_equal(answer.body.len, 0);
    http_answer_free(&answer);
}

static void a_server_that_hangs_is_left(void **state)
{
    (void)state;
    struct http_answer answer;
    int64_t before = clock_monotonic_ms();
    assert_int_equal(get("/never", &answer), ERR_BUSY);
    int64_t took = clock_monotonic_ms() - before;
    assert_true(took >= TIMEOUT_MS - 50 && took < TIMEOUT_MS * 10);
    assert_int_equal(answer.status, 0);
    assert_true(answer.error[0] != '\0');
    http_answer_free(&answer);
}

static void *set_cut(void *context)
{
    struct timespec until = clock_monotonic_after(100);
    (void)context;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    atomic_store(&cut, true);
    return NULL;
}

static void a_request_can_be_cut_off(void **state)
{
    (void)state;
    const struct http_client_options patient = {
        .timeout_ms = 60000, .body_limit = BODY_LIMIT, .cut = &cut};
    struct http_client *own;
    struct http_answer answer;
    char url[64];
    pthread_t thread;
    int64_t before = clock_monotonic_ms();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/never", http_server_port(server));
    assert_int_equal(http_client_new(&patient, &own), 0);
    assert_int_equal(pthread_create(&thread, NULL, set_cut, NULL), 0);
    struct http_request *other = hanging;
    assert_int_equal(http_client_get(own, url, NULL, &answer), ERR_BUSY);
    assert_true(clock_monotonic_ms() - before < 30000);
    pthread_join(thread, NULL);
    http_answer_free(&answer);
    http_client_free(own);
    atomic_store(&cut, false);
    if (other)
        http_respond(other, 200, NULL, (struct span){NULL, 0}, NULL);
}

static void a_missing_ca_file_is_no_answer(void **state)
{
    (void)state;
    const struct http_client_options trusting = {
        .timeout_ms = TIMEOUT_MS, .body_limit = BODY_LIMIT, .ca_file = "/nowhere"};
    struct http_client *own;
    struct http_answer answer;
    assert_int_equal(http_client_new(&trusting, &own), 0);
    assert_int_equal(http_client_get(own, "https://127.0.0.1:1/", NULL, &answer), ERR_BUSY);
    http_answer_free(&answer);
    http_client_free(own);
}

static void a_refused_connection_is_no_answer(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int bound = socket(AF_INET, SOCK_STREAM, 0); /* bound, but it does not listen */
    assert_int_equal(bind(bound, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(bound, (struct sockaddr *)&address, &len), 0);
    struct http_answer answer;
    assert_int_equal(get_from(ntohs(address.sin_port), "/", &answer), ERR_BUSY);
    assert_int_equal(answer.status, 0);
    assert_true(answer.error[0] != '\0');
    http_answer_free(&answer);
    close(bound);
}

/* A server that answers its one request with the text it was given. */
struct crooked {
    pthread_t thread;
    int fd, port;
    const char *first, *again; /* `again` is repeated until the client leaves */
};

static void *run_crooked(void *context)
{
    struct crooked *crooked = context;
    char waste[4096];
    int fd = accept(crooked->fd, NULL, NULL);
    bool open = recv(fd, waste, sizeof waste, 0) > 0 && kit_send_text(fd, crooked->first);
    while (open && crooked->again)
        open = kit_send_text(fd, crooked->again);
    close(fd);
    return NULL;
}

static void answers_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *first, *again;
        int rc;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", NULL, ERR_BUSY},
        {"", NULL, ERR_BUSY},
        {"SSH-2.0-OpenSSH_9.2\r\n", NULL, ERR_BUSY},
        {"HTTP/1.1 200 OK\r\n", "X-Endless: header\r\n", ERR_LIMIT},
        {"HTTP/1.1 200 OK\r\n\r\n", "an endless body", ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct crooked crooked = {.first = cases[i].first, .again = cases[i].again};
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof address;
        crooked.fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(crooked.fd, (struct sockaddr *)&address, len), 0);
        assert_int_equal(listen(crooked.fd, 1), 0);
        assert_int_equal(getsockname(crooked.fd, (struct sockaddr *)&address, &len), 0);
        pthread_create(&crooked.thread, NULL, run_crooked, &crooked);
        struct http_answer answer;
        int rc = get_from(ntohs(address.sin_port), "/", &answer);
        assert_int_equal(rc, cases[i].rc);
        http_answer_free(&answer);
        pthread_join(crooked.thread, NULL);
        close(crooked.fd);
    }
}

static void other_protocols_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"file:///etc/hostname", "ftp://127.0.0.1/", "gopher://x/",
                                       "nonsense://x", ""};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct http_answer answer;
        assert_int_equal(http_client_get(client, urls[i], NULL, &answer), ERR_BUSY);
        assert_int_equal(answer.status, 0);
        http_answer_free(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_and_reads_the_answer),
        cmocka_unit_test(a_get_after_a_post_is_a_get),
        cmocka_unit_test(an_answer_over_the_limit_is_none),
        cmocka_unit_test(reads_retry_after),
        cmocka_unit_test(reads_retry_after_as_a_date),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(a_refused_connection_is_no_answer),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(a_server_that_hangs_is_left),
        cmocka_unit_test(a_request_can_be_cut_off),
        cmocka_unit_test(a_missing_ca_file_is_no_answer),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
