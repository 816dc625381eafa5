/* Answers that come late: from other threads, before the handler has returned, while the server
 * drains, after it has gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "tests/unit/http_held.h"

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

static const struct http_route routes[] = {
    {"POST", "/hold", hold, NULL},
    {"POST", "/early", answer_before_returning, NULL},
    {"GET", "/ok", answer_ok, NULL},
};

static struct http_server *start(void)
{
    return start_server(usual_options(routes, sizeof routes / sizeof *routes));
}

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
    struct http_server *server = start();
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
    struct http_server *server = start();
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
    struct http_server *server = start();
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
    struct stopping stopping = {start(), 60000};
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
    struct http_server *server = start();
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
        struct http_server *server = start();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_answers_reach_their_own_request),
        cmocka_unit_test(pipelined_requests_wait_for_a_late_answer),
        cmocka_unit_test(a_client_that_leaves_harms_nobody),
        cmocka_unit_test(draining_answers_what_is_under_way),
        cmocka_unit_test(late_requests_are_cut_and_may_still_be_answered),
        cmocka_unit_test(stopping_races_with_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
