/* The HTTP server's bounds: deadlines for every way to be slow, memory, connections. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "tests/unit/http_held.h"

static char large[16 * 1024 * 1024]; /* more than both sockets' buffers hold */

static void answer_large(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, NULL, (struct span){large, sizeof large}, NULL);
}

static const struct http_route routes[] = {
    {"POST", "/hold", hold, NULL},
    {"GET", "/ok", answer_ok, NULL},
    {"GET", "/large", answer_large, NULL},
};

static struct http_server_options usual(void)
{
    return usual_options(routes, sizeof routes / sizeof *routes);
}

static void post_zeros(int fd, size_t len)
{
    char head[128];
    snprintf(head, sizeof head, "POST /hold HTTP/1.1\r\nHost: tl\r\nContent-Length: %zu\r\n\r\n",
             len);
    kit_send_text(fd, head);
    kit_send(fd, large, len);
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
    struct http_server_options options = usual();
    options.read_deadline_ms = 200;
    options.idle_ms = 60000;
    struct http_server *server = start_server(options);
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
    struct http_server_options options = usual();
    options.idle_ms = 200;
    struct http_server *server = start_server(options);
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
    struct http_server_options options = usual();
    options.read_deadline_ms = options.idle_ms = 50;
    struct http_server *server = start_server(options);
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
    struct http_server_options options = usual();
    options.read_deadline_ms = 200;
    options.connection_limit = 1;
    struct http_server *server = start_server(options);
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
    struct http_server_options options = usual();
    options.memory_limit = 100 * 1024;
    struct http_server *server = start_server(options);
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

    /* Answered is enough to make room: whether the answer is taken is another matter. */
    http_respond(take_held(), 200, NULL, (struct span){large, sizeof large}, NULL);
    int third = kit_connect(port);
    post_zeros(third, 40 * 1024);
    wait_for_held(2);
    for (int i = 0; i < 2; i++)
        http_respond(take_held(), 200, NULL, (struct span){NULL, 0}, NULL);
    kit_read(third, &answer, true);
    assert_int_equal(answer.status, 200);
    close(first);
    close(second);
    close(third);
    http_server_stop(server, 1000);
}

/* Of requests without a body, too, as long as they wait. */
static void heads_are_bounded_in_total(void **state)
{
    (void)state;
    struct http_server_options options = usual();
    options.memory_limit = 40 * 1024;
    struct http_server *server = start_server(options);
    int port = http_server_port(server), fds[2];
    struct kit_answer answer;
    char head[12 * 1024];
    snprintf(head, sizeof head, "POST /hold HTTP/1.1\r\nHost: tl\r\nX: %010000d\r\n\r\n", 0);
    for (int i = 0; i < 2; i++) {
        fds[i] = kit_connect(port);
        kit_send_text(fds[i], head);
    }
    wait_for_held(2);
    int third = kit_connect(port);
    kit_send_text(third, head);
    kit_read(third, &answer, true);
    assert_int_equal(answer.status, 503);
    assert_true(kit_closes(third));
    close(third);
    for (int i = 0; i < 2; i++)
        http_respond(take_held(), 200, NULL, (struct span){NULL, 0}, NULL);
    for (int i = 0; i < 2; i++) {
        kit_read(fds[i], &answer, true);
        assert_int_equal(answer.status, 200);
        close(fds[i]);
    }
    wait_until_served(port);
    http_server_stop(server, 1000);
}

static void check_connection_bound(struct http_server_options options)
{
    struct http_server *server = start_server(options);
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
    struct http_server_options options = usual();
    options.connection_limit = 2;
    check_connection_bound(options);
    options.connection_limit = 100;
    options.connections_per_client = 2;
    check_connection_bound(options);
}

static void hold_for(int fd, const char *client)
{
    char text[256];
    snprintf(text, sizeof text,
             "POST /hold HTTP/1.1\r\nHost: tl\r\nX-Forwarded-For: %s\r\nContent-Length: 0\r\n\r\n",
             client);
    kit_send_text(fd, text);
}

/* Behind a proxy the bound is for whom it tells of, and for requests under way. */
static void clients_of_a_proxy_are_bounded_each(void **state)
{
    (void)state;
    struct http_server_options options = usual();
    options.connections_per_client = 2;
    options.trusted_proxies = "127.0.0.0/8";
    struct http_server *server = start_server(options);
    struct kit_answer answer;
    int fds[6];
    for (int i = 0; i < 6; i++)
        fds[i] = kit_connect(http_server_port(server));
    hold_for(fds[0], "203.0.113.9");
    hold_for(fds[1], "198.51.100.1, 203.0.113.9");
    wait_for_held(2);
    hold_for(fds[2], "203.0.113.9");
    kit_read(fds[2], &answer, true);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "of this client"));
    hold_for(fds[3], "203.0.113.10"); /* somebody else */
    wait_for_held(3);
    echo(take_held());
    echo(take_held());
    echo(take_held());
    kit_read(fds[0], &answer, true);
    assert_int_equal(answer.status, 202);
    kit_read(fds[1], &answer, true);
    kit_read(fds[3], &answer, true);
    /* Answered ones do not count any more, though their connections are kept. */
    hold_for(fds[4], "203.0.113.9");
    wait_for_held(1);
    echo(take_held());
    kit_read(fds[4], &answer, true);
    assert_int_equal(answer.status, 202);
    for (int i = 0; i < 6; i++)
        close(fds[i]);
    http_server_stop(server, 1000);

    /* Who is not trusted speaks for itself, whatever it says. */
    options.trusted_proxies = "192.0.2.1";
    server = start_server(options);
    for (int i = 0; i < 3; i++)
        fds[i] = kit_connect(http_server_port(server));
    kit_read(fds[2], &answer, true);
    assert_int_equal(answer.status, 503);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    http_server_stop(server, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_requests_are_cut_off),
        cmocka_unit_test(idle_connections_are_closed_in_their_time),
        cmocka_unit_test(a_waiting_request_has_no_deadline_but_its_own),
        cmocka_unit_test(an_answer_that_is_not_taken_is_cut_off),
        cmocka_unit_test(bodies_are_bounded_in_total),
        cmocka_unit_test(heads_are_bounded_in_total),
        cmocka_unit_test(connections_are_bounded),
        cmocka_unit_test(clients_of_a_proxy_are_bounded_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
