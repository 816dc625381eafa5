/* The HTTP server's bounds and its answers that come late: from other threads, while it drains,
 * after it has gone; deadlines for every way to be slow; memory and connections. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/http/http_server.h"
#include "tests/unit/http_kit.h"

/* Requests whose handler has returned without an answer; other threads take them from here. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct http_request *requests[64];
    size_t count;
    bool ends;
} held = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void hold(struct http_request *request, void *context)
{
    (void)context;
    pthread_mutex_lock(&held.mutex);
    held.requests[held.count++] = request;
    pthread_cond_broadcast(&held.changed);
    pthread_mutex_unlock(&held.mutex);
}

/* Waits for one; NULL once `ends` is set and none is left. */
static struct http_request *take_held(void)
{
    pthread_mutex_lock(&held.mutex);
    while (held.count == 0 && !held.ends)
        pthread_cond_wait(&held.changed, &held.mutex);
    struct http_request *request = held.count ? held.requests[--held.count] : NULL;
    pthread_mutex_unlock(&held.mutex);
    return request;
}

static void echo(struct http_request *request)
{
    http_respond(request, 202, "text/plain", http_request_body(request), NULL);
}

static void *answer_held(void *unused)
{
    struct http_request *request;
    while ((request = take_held()))
        echo(request);
    return unused;
}

static void wait_for_held(size_t count)
{
    pthread_mutex_lock(&held.mutex);
    while (held.count < count)
        pthread_cond_wait(&held.changed, &held.mutex);
    pthread_mutex_unlock(&held.mutex);
}

/* The other order: answered by another thread before the handler returns. */
static void *answer_at_once(void *request)
{
    echo(request);
    return NULL;
}

static void answer_before_returning(struct http_request *request, void *context)
{
    (void)context;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_at_once, request), 0);
    pthread_join(thread, NULL);
}

static void answer_ok(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, "text/plain", span_of("ok"), NULL);
}

static char large[16 * 1024 * 1024]; /* more than both sockets' buffers hold */

static void answer_large(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, NULL, (struct span){large, sizeof large}, NULL);
}

static const struct http_route routes[] = {
    {"POST", "/hold", hold, NULL},
    {"POST", "/early", answer_before_returning, NULL},
    {"GET", "/ok", answer_ok, NULL},
    {"GET", "/large", answer_large, NULL},
};

static const struct http_server_options usual = {.listen = "127.0.0.1:0",
                                                 .routes = routes,
                                                 .route_count = sizeof routes / sizeof *routes,
                                                 .body_limit = 64 * 1024,
                                                 .memory_limit = 1024 * 1024,
                                                 .connection_limit = 100,
                                                 .read_deadline_ms = 5000,
                                                 .idle_ms = 5000};

static struct http_server *start(struct http_server_options options)
{
    struct http_server *server;
    assert_int_equal(http_server_start(&options, &server), 0);
    held.count = 0;
    held.ends = false;
    return server;
}

#define GET_OK "GET /ok HTTP/1.1\r\nHost: tl\r\n\r\n"

static void post(int fd, const char *path, const char *body)
{
    char text[512];
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: tl\r\nContent-Length: %zu\r\n\r\n%s",
             path, strlen(body), body);
    kit_send_text(fd, text);
}

static void post_zeros(int fd, size_t len)
{
    char head[128];
    snprintf(head, sizeof head, "POST /hold HTTP/1.1\r\nHost: tl\r\nContent-Length: %zu\r\n\r\n",
             len);
    kit_send_text(fd, head);
    kit_send(fd, large, len);
}

/* --- late answers --- */

#define CLIENTS  4
#define REQUESTS 250

struct client {
    pthread_t thread;
    int port, number, answered;
};

static void *run_client(void *context)
{
    struct client *client = context;
    int fd = kit_connect(client->port);
    for (int i = 0; i < REQUESTS; i++) {
        char body[32];
        struct kit_answer answer;
        snprintf(body, sizeof body, "%d-%d", client->number, i);
        post(fd, i % 3 == 0 ? "/early" : "/hold", body);
        kit_read(fd, &answer, true);
        if (answer.status == 202 && strcmp(answer.body, body) == 0)
            client->answered++;
    }
    close(fd);
    return NULL;
}

static void late_answers_reach_their_own_request(void **state)
{
    (void)state;
    struct http_server *server = start(usual);
    pthread_t answering[2];
    struct client clients[CLIENTS];
    for (int i = 0; i < 2; i++)
        pthread_create(&answering[i], NULL, answer_held, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.port = http_server_port(server), .number = i};
        pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].answered, REQUESTS);
    }
    pthread_mutex_lock(&held.mutex);
    held.ends = true;
    pthread_cond_broadcast(&held.changed);
    pthread_mutex_unlock(&held.mutex);
    for (int i = 0; i < 2; i++)
        pthread_join(answering[i], NULL);
    http_server_stop(server, 1000);
}

static void pipelined_requests_wait_for_a_late_answer(void **state)
{
    (void)state;
    struct http_server *server = start(usual);
    struct kit_answer answer;
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd, "POST /hold HTTP/1.1\r\nHost: tl\r\nContent-Length: 4\r\n\r\nlate" GET_OK);
    echo(take_held());
    kit_read(fd, &answer, true);
    assert_string_equal(answer.body, "late");
    kit_read(fd, &answer, true);
    assert_string_equal(answer.body, "ok");
    close(fd);
    http_server_stop(server, 1000);
}

static void a_client_that_leaves_harms_nobody(void **state)
{
    (void)state;
    struct http_server *server = start(usual);
    for (int i = 0; i < 20; i++) {
        int fd = kit_connect(http_server_port(server));
        post(fd, "/hold", "bye");
        wait_for_held(1);
        close(fd);
        echo(take_held());
    }
    struct kit_answer answer;
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd, GET_OK);
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 200);
    close(fd);
    http_server_stop(server, 1000);
}

/* --- stopping --- */

struct stopping {
    struct http_server *server;
    int ms;
};

static void *run_stop(void *context)
{
    struct stopping *stopping = context;
    http_server_stop(stopping->server, stopping->ms);
    return NULL;
}

static void draining_answers_what_is_under_way(void **state)
{
    (void)state;
    struct stopping stopping = {start(usual), 60000};
    int port = http_server_port(stopping.server);
    int busy = kit_connect(port), idle = kit_connect(port);
    struct kit_answer answer;
    kit_send_text(idle, GET_OK);
    kit_read(idle, &answer, true);
    assert_int_equal(answer.status, 200);
    post(busy, "/hold", "work");
    wait_for_held(1);

    int64_t before = clock_monotonic_ms();
    pthread_t thread;
    pthread_create(&thread, NULL, run_stop, &stopping);
    int fd;
    while ((fd = kit_connect(port)) >= 0) { /* until the listening socket is closed */
        assert_true(clock_monotonic_ms() - before < 5000);
        close(fd);
    }
    echo(take_held());
    kit_read(busy, &answer, true);
    assert_int_equal(answer.status, 202);
    assert_string_equal(answer.body, "work");
    assert_string_equal(kit_header(&answer, "Connection"), "close");
    assert_true(kit_closes(busy));
    assert_true(kit_closes(idle));
    pthread_join(thread, NULL);
    assert_true(clock_monotonic_ms() - before < 5000);
    close(busy);
    close(idle);
}

static void late_requests_are_cut_and_may_still_be_answered(void **state)
{
    (void)state;
    struct http_server *server = start(usual);
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = kit_connect(http_server_port(server));
        post(fds[i], "/hold", "work");
    }
    wait_for_held(3);
    int64_t before = clock_monotonic_ms();
    http_server_stop(server, 50);
    assert_true(clock_monotonic_ms() - before < 2000);
    for (int i = 0; i < 3; i++) {
        struct kit_answer answer;
        kit_read(fds[i], &answer, true);
        assert_int_equal(answer.status, KIT_CLOSED);
        close(fds[i]);
    }
    for (int i = 0; i < 3; i++) { /* what they hold is still theirs */
        struct http_request *request = take_held();
        assert_true(span_is(http_request_body(request), "work"));
        assert_true(span_is(http_request_header(request, "host"), "tl"));
        echo(request);
    }
}

/* Answers and the stop at the same moment, over and over. */
static void stopping_races_with_answers(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct http_server *server = start(usual);
        int fds[4];
        for (int i = 0; i < 4; i++) {
            fds[i] = kit_connect(http_server_port(server));
            post(fds[i], "/hold", "work");
        }
        wait_for_held(4);
        struct stopping stopping = {server, 0};
        pthread_t thread;
        pthread_create(&thread, NULL, run_stop, &stopping);
        for (int i = 0; i < 4; i++)
            echo(take_held());
        pthread_join(thread, NULL);
        for (int i = 0; i < 4; i++)
            close(fds[i]);
    }
}

/* --- deadlines --- */

/* Sends the text byte by byte, 10 ms apart, again and again, until the other side closes. */
static int64_t dribble(int fd, const char *text)
{
    int64_t before = clock_monotonic_ms();
    for (const char *p = text; clock_monotonic_ms() - before < 5000; p = p[1] ? p + 1 : text) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, 10) > 0 || !kit_send(fd, p, 1))
            break;
    }
    assert_true(kit_closes(fd));
    return clock_monotonic_ms() - before;
}

static const struct {
    const char *what, *first, *dribbled;
    bool kept_alive; /* after an answered request */
} slow[] = {
    {"nothing at all", "", "", false},
    {"a request line", "", "GETGETGET", false},
    {"a header", "GET /ok HTTP/1.1\r\n", "X-A: b\r\n", false},
    {"a body", "POST /hold HTTP/1.1\r\nHost: tl\r\nContent-Length: 60000\r\n\r\n", "x", false},
    {"a chunk's size", "POST /hold HTTP/1.1\r\nHost: tl\r\nTransfer-Encoding: chunked\r\n\r\n1",
     ";x", false},
    {"a body that is not wanted", "POST /no HTTP/1.1\r\nHost: tl\r\nContent-Length: 60000\r\n\r\n",
     "x", false},
    {"a kept connection's request line", "", "GETGETGET", true},
    {"a kept connection's header", "GET /ok HTTP/1.1\r\n", "X-A: b\r\n", true},
};

static void slow_requests_are_cut_off(void **state)
{
    (void)state;
    struct http_server_options options = usual;
    options.read_deadline_ms = 200;
    options.idle_ms = 60000;
    struct http_server *server = start(options);
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
        int fd = kit_connect(http_server_port(server));
        if (slow[i].kept_alive) {
            struct kit_answer answer;
            kit_send_text(fd, GET_OK);
            kit_read(fd, &answer, true);
            assert_int_equal(answer.status, 200);
        }
        kit_send_text(fd, slow[i].first);
        int64_t took =
            *slow[i].dribbled ? dribble(fd, slow[i].dribbled) : (assert_true(kit_closes(fd)), 200);
        if (took < 150 || took > 1500)
            fail_msg("%s: cut off after %lld ms", slow[i].what, (long long)took);
        close(fd);
    }
    http_server_stop(server, 1000);
}

static void idle_connections_are_closed_in_their_time(void **state)
{
    (void)state;
    struct http_server_options options = usual;
    options.idle_ms = 200;
    struct http_server *server = start(options);
    struct kit_answer answer;
    int fd = kit_connect(http_server_port(server));
    int64_t before = clock_monotonic_ms();
    kit_send_text(fd, GET_OK);
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 200);
    assert_true(kit_closes(fd));
    int64_t took = clock_monotonic_ms() - before;
    assert_true(took >= 150 && took < 1500);
    close(fd);
    http_server_stop(server, 1000);
}

static void a_waiting_request_has_no_deadline_but_its_own(void **state)
{
    (void)state;
    struct http_server_options options = usual;
    options.read_deadline_ms = options.idle_ms = 50;
    struct http_server *server = start(options);
    struct kit_answer answer;
    int waiting = kit_connect(http_server_port(server));
    post(waiting, "/hold", "work");
    wait_for_held(1);
    int silent = kit_connect(http_server_port(server)); /* four deadlines pass, one after another */
    for (int i = 0; i < 4; i++) {
        assert_true(kit_closes(silent));
        close(silent);
        silent = kit_connect(http_server_port(server));
    }
    close(silent);
    echo(take_held());
    kit_read(waiting, &answer, true);
    assert_int_equal(answer.status, 202);
    close(waiting);
    http_server_stop(server, 1000);
}

/* --- memory and connections --- */

static int status_of_get(int port)
{
    struct kit_answer answer;
    int fd = kit_connect(port);
    assert_true(fd >= 0);
    kit_send_text(fd, GET_OK);
    kit_read(fd, &answer, true);
    close(fd);
    return answer.status;
}

/* Asks until the answer is 200 (connections are let go a moment after they were closed). */
static void wait_until_served(int port)
{
    int64_t before = clock_monotonic_ms();
    while (status_of_get(port) != 200)
        assert_true(clock_monotonic_ms() - before < 5000);
}

static void an_answer_that_is_not_taken_is_cut_off(void **state)
{
    (void)state;
    struct http_server_options options = usual;
    options.read_deadline_ms = 200;
    options.connection_limit = 1;
    struct http_server *server = start(options);
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd, "GET /large HTTP/1.1\r\nHost: tl\r\n\r\n");
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    assert_int_equal(status_of_get(http_server_port(server)), 503);
    wait_until_served(http_server_port(server)); /* the one place is free again */
    close(fd);
    http_server_stop(server, 1000);
}

static void bodies_are_bounded_in_total(void **state)
{
    (void)state;
    struct http_server_options options = usual;
    options.memory_limit = 100 * 1024;
    struct http_server *server = start(options);
    int port = http_server_port(server), first = kit_connect(port), second = kit_connect(port);
    struct kit_answer answer;
    post_zeros(first, 40 * 1024);
    post_zeros(second, 40 * 1024);
    wait_for_held(2);

    int declared = kit_connect(port);
    post_zeros(declared, 40 * 1024);
    kit_read(declared, &answer, true);
    assert_int_equal(answer.status, 503);
    assert_string_equal(kit_header(&answer, "Retry-After"), "1");
    assert_true(kit_closes(declared));
    close(declared);

    int chunked = kit_connect(port);
    kit_send_text(chunked, "POST /hold HTTP/1.1\r\nHost: tl\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "A000\r\n");
    kit_send(chunked, large, 40 * 1024);
    kit_read(chunked, &answer, true);
    assert_int_equal(answer.status, 503);
    assert_string_equal(kit_header(&answer, "Retry-After"), "1");
    assert_true(kit_closes(chunked));
    close(chunked);

    for (int i = 0; i < 2; i++)
        http_respond(take_held(), 200, NULL, (struct span){NULL, 0}, NULL);
    kit_read(first, &answer, true);
    assert_int_equal(answer.status, 200);
    post_zeros(first, 40 * 1024); /* there is room again */
    wait_for_held(1);
    http_respond(take_held(), 200, NULL, (struct span){NULL, 0}, NULL);
    kit_read(first, &answer, true);
    assert_int_equal(answer.status, 200);
    close(first);
    close(second);
    http_server_stop(server, 1000);
}

static void check_connection_bound(struct http_server_options options)
{
    struct http_server *server = start(options);
    int port = http_server_port(server), fds[2];
    struct kit_answer answer;
    for (int i = 0; i < 2; i++) {
        fds[i] = kit_connect(port);
        kit_send_text(fds[i], GET_OK);
        kit_read(fds[i], &answer, true);
        assert_int_equal(answer.status, 200);
    }
    int third = kit_connect(port);
    kit_read(third, &answer, true);
    assert_int_equal(answer.status, 503);
    assert_string_equal(kit_header(&answer, "Retry-After"), "1");
    assert_true(kit_closes(third));
    close(third);
    close(fds[0]);
    wait_until_served(port);
    kit_send_text(fds[1], GET_OK);
    kit_read(fds[1], &answer, true);
    assert_int_equal(answer.status, 200);
    close(fds[1]);
    http_server_stop(server, 1000);
}

static void connections_are_bounded(void **state)
{
    (void)state;
    struct http_server_options options = usual;
    options.connection_limit = 2;
    check_connection_bound(options);
    options.connection_limit = 100;
    options.connections_per_client = 2;
    check_connection_bound(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_answers_reach_their_own_request),
        cmocka_unit_test(pipelined_requests_wait_for_a_late_answer),
        cmocka_unit_test(a_client_that_leaves_harms_nobody),
        cmocka_unit_test(draining_answers_what_is_under_way),
        cmocka_unit_test(late_requests_are_cut_and_may_still_be_answered),
        cmocka_unit_test(stopping_races_with_answers),
        cmocka_unit_test(slow_requests_are_cut_off),
        cmocka_unit_test(idle_connections_are_closed_in_their_time),
        cmocka_unit_test(a_waiting_request_has_no_deadline_but_its_own),
        cmocka_unit_test(an_answer_that_is_not_taken_is_cut_off),
        cmocka_unit_test(bodies_are_bounded_in_total),
        cmocka_unit_test(connections_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
