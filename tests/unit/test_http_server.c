/* The HTTP server over raw sockets: odd and hostile requests, each with its exact answer; framing,
 * keep-alive, pipelining. Limits, deadlines and late answers are in test_http_server_limits.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/buffer.h"
#include "common/http/http_server.h"
#include "tests/unit/http_kit.h"

#define BODY_LIMIT 1000

static struct http_server *server;

static void answer_ok(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, "text/plain", span_of("ok"), NULL);
}

static void answer_echo(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 202, "application/octet-stream", http_request_body(request), NULL);
}

/* method, target, path, header X; each on a line */
static void answer_tell(struct http_request *request, void *context)
{
    (void)context;
    struct buffer text;
    buffer_init(&text, 4096);
    struct span parts[] = {http_request_method(request), http_request_target(request),
                           http_request_path(request), http_request_header(request, "x-HEADER")};
    for (size_t i = 0; i < 4; i++) {
        buffer_append_span(&text, parts[i]);
        buffer_append_char(&text, '\n');
    }
    http_respond(request, 200, "text/plain", buffer_span(&text),
                 (struct http_header[]){{"X-One", "1"}, {"X-Two", "2"}, {NULL, NULL}});
    buffer_free(&text);
}

static void answer_nothing(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 204, NULL, (struct span){NULL, 0}, NULL);
}

static const struct http_route routes[] = {
    {"GET", "/ok", answer_ok, NULL},          {"POST", "/echo", answer_echo, NULL},
    {"GET", "/tell/*", answer_tell, NULL},    {"POST", "/tell/*", answer_tell, NULL},
    {"OPTIONS", "/ok", answer_nothing, NULL},
};

static int start(void **state)
{
    (void)state;
    const struct http_server_options options = {.listen = "127.0.0.1:0",
                                                .routes = routes,
                                                .route_count = sizeof routes / sizeof *routes,
                                                .body_limit = BODY_LIMIT,
                                                .memory_limit = 1024 * 1024,
                                                .connection_limit = 100,
                                                .read_deadline_ms = 5000,
                                                .idle_ms = 5000};
    return http_server_start(&options, &server);
}

static int stop(void **state)
{
    (void)state;
    http_server_stop(server, 1000);
    return 0;
}

#define H       "Host: tl\r\n"
#define GET_OK  "GET /ok HTTP/1.1\r\n" H "\r\n"
#define POST    "POST /echo HTTP/1.1\r\n" H
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define X100                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxx"
#define X500   X100 X100 X100 X100 X100
#define X4000  X500 X500 X500 X500 X500 X500 X500 X500
#define X12000 X4000 X4000 X4000
#define X16000 X12000 X4000

static const struct {
    const char *what, *request;
    int status; /* KIT_CLOSED: no answer at all */
    bool closes;
} requests[] = {
    {"plain", GET_OK, 200, false},
    {"HTTP/1.0 closes", "GET /ok HTTP/1.0\r\n\r\n", 200, true},
    {"HTTP/1.0 kept alive", "GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, false},
    {"Connection: close", "GET /ok HTTP/1.1\r\n" H "Connection: close\r\n\r\n", 200, true},
    {"an empty line before", "\r\n" GET_OK, 200, false},
    {"a query", "GET /ok?x=%zz&y HTTP/1.1\r\n" H "\r\n", 200, false},
    {"absolute form", "GET http://tl/ok HTTP/1.1\r\n" H "\r\n", 200, false},
    {"an encoded path", "GET /%6fk HTTP/1.1\r\n" H "\r\n", 200, false},
    {"encoded twice", "GET /%256fk HTTP/1.1\r\n" H "\r\n", 404, false},
    {"broken encoding", "GET /%6 HTTP/1.1\r\n" H "\r\n", 400, true},
    {"no hexadecimal", "GET /%6g HTTP/1.1\r\n" H "\r\n", 400, true},
    {"an encoded NUL", "GET /ok%00 HTTP/1.1\r\n" H "\r\n", 400, true},
    {"no content", "OPTIONS /ok HTTP/1.1\r\n" H "\r\n", 204, false},
    {"unknown path", "GET /nope HTTP/1.1\r\n" H "\r\n", 404, false},
    {"unknown path with a body", "POST /nope HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nxx", 404,
     false},
    {"a slash more", "GET /ok/ HTTP/1.1\r\n" H "\r\n", 404, false},
    {"another method", "POST /ok HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nxx", 405, false},
    {"a made-up method", "BREW /ok HTTP/1.1\r\n" H "\r\n", 405, false},
    {"GET where there is POST", "GET /echo HTTP/1.1\r\n" H "\r\n", 405, false},
    {"HEAD where there is POST", "HEAD /echo HTTP/1.1\r\n" H "\r\n", 405, false},

    {"a body", POST "Content-Length: 2\r\n\r\nxx", 202, false},
    {"an empty body", POST "Content-Length: 0\r\n\r\n", 202, false},
    {"no body at all", POST "\r\n", 202, false},
    {"chunks", CHUNKED "1\r\na\r\n0002\r\nbc\r\n0\r\n\r\n", 202, false},
    {"trailers", CHUNKED "1\r\na\r\n0\r\nX-Trailer: 1\r\n\r\n", 202, false},
    {"exactly the limit", POST "Content-Length: 1000\r\n\r\n" X500 X500, 202, false},
    {"one byte over", POST "Content-Length: 1001\r\n\r\n" X500 X500 "x", 413, true},
    {"declared over, not sent", POST "Content-Length: 1001\r\n\r\n", 413, true},
    {"declared far over", POST "Content-Length: 9223372036854775807\r\n\r\n", 413, true},
    {"chunked, exactly the limit", CHUNKED "3e8\r\n" X500 X500 "\r\n0\r\n\r\n", 202, false},
    {"chunked, one byte over", CHUNKED "3e8\r\n" X500 X500 "\r\n1\r\nx\r\n", 413, true},
    {"a chunk of the greatest size", CHUNKED "7fffffffffffffff\r\n" X500 X500 "x", 413, true},
    {"unknown path, chunked over the limit",
     "POST /nope HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" X500 X500 "x", 413,
     true},
    {"a chunk size that is none", CHUNKED "xyz\r\n", 400, true},
    {"a negative chunk size", CHUNKED "-1\r\n", 400, true},
    {"no chunk size", CHUNKED "\r\n", 400, true},
    {"a chunk longer than it says", CHUNKED "1\r\nab\r\n", 400, true},

    {"two lengths", POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nxx", 400, true},
    {"two lengths that differ", POST "Content-Length: 2\r\ncontent-length: 0\r\n\r\nxx", 400, true},
    {"length and encoding", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, true},
    {"encoding and length", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
     400, true},
    {"a space before the colon", POST "Content-Length : 2\r\n\r\nxx", 400, true},
    {"a tab before the colon", POST "Content-Length\t: 2\r\n\r\nxx", 400, true},
    {"length as a list", POST "Content-Length: 2, 2\r\n\r\nxx", 400, true},
    {"length with a sign", POST "Content-Length: +2\r\n\r\nxx", 400, true},
    {"length that is no number", POST "Content-Length: two\r\n\r\n", 400, true},
    {"two encodings",
     POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, true},
    {"two Hosts", "GET /ok HTTP/1.1\r\n" H H "\r\n", 400, true},
    {"no Host", "GET /ok HTTP/1.1\r\n\r\n", 400, true},
    {"a Host with a path", "GET /ok HTTP/1.1\r\nHost: tl/x\r\n\r\n", 400, true},
    {"HTTP/1.0 with an encoding",
     "POST /echo HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true},
    {"a bare CR in a header", "GET /ok HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400, true},
    {"a header without a colon", "GET /ok HTTP/1.1\r\n" H "nonsense\r\n\r\n", 400, true},
    {"a space in the target", "GET /ok now HTTP/1.1\r\n" H "\r\n", 400, true},
    {"an encoding put together from two lines",
     "POST /echo HTTP/1.1\r\n" H "Trans: chunked\r\n fer-Encoding\r\n\r\n0\r\n\r\n", 400, true},
    {"a line that begins with a colon, and a request behind it",
     "POST /echo HTTP/1.1\r\n" H "Content-Length: 0\r\n: x\r\n" GET_OK, 400, true},
    {"bare line feeds", "GET /ok HTTP/1.1\nHost: tl\n\n", 400, true},
    {"one bare line feed", "GET /ok HTTP/1.1\r\nA: b\n" H "\r\n", 400, true},
    {"a bare line feed at the end of the head", "GET /ok HTTP/1.1\r\n" H "\n", 400, true},
    {"two spaces after the method", "GET  /ok HTTP/1.1\r\n" H "\r\n", 400, true},
    {"a fragment", "GET /ok#x HTTP/1.1\r\n" H "\r\n", 400, true},
    {"an expectation nobody knows", "GET /ok HTTP/1.1\r\n" H "Expect: x\r\n\r\n", 417, true},
    {"spaces around a value", "GET /ok HTTP/1.1\r\nHost: \t tl \t\r\nX:\r\nY:y\r\n\r\n", 200,
     false},
    {"a target without a slash", "GET ok HTTP/1.1\r\n" H "\r\n", 400, true},
    {"an asterisk", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 400, true},
    {"HTTP/2 without an upgrade", "GET /ok HTTP/2.0\r\n" H "\r\n", 505, true},
    {"a version that is none", "GET /ok HTTX/1.1\r\n" H "\r\n", 400, true},
    {"a header below the bound", "GET /ok HTTP/1.1\r\n" H "X: " X12000 "\r\n\r\n", 200, false},
    {"a header past the bound", "GET /ok HTTP/1.1\r\n" H "X: " X16000 X500 "\r\n\r\n", 431, true},
    {"a target past the bound", "GET /" X16000 X500 " HTTP/1.1\r\n" H "\r\n", 414, true},
};

static bool still_serves(int fd)
{
    struct kit_answer answer;
    kit_send_text(fd, GET_OK);
    kit_read(fd, &answer, true);
    return answer.status == 200 && strcmp(answer.body, "ok") == 0;
}

static void hostile_requests_get_their_exact_answer(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct kit_answer answer;
        int fd = kit_connect(http_server_port(server));
        assert_true(fd >= 0);
        kit_send_text(fd, requests[i].request); /* it may be refused before all is sent */
        kit_read(fd, &answer, strncmp(requests[i].request, "HEAD", 4) != 0);
        bool closed = requests[i].closes ? kit_closes(fd) : !still_serves(fd);
        close(fd);
        if (answer.status == requests[i].status && closed == requests[i].closes)
            continue;
        wrong++;
        print_error("%s: %d instead of %d, %s\n", requests[i].what, answer.status,
                    requests[i].status, closed ? "closed" : "kept open");
    }
    assert_int_equal(wrong, 0);
}

static void refusals_are_problems(void **state)
{
    (void)state;
    struct kit_answer answer;
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd, "PUT /ok HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx");
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 405);
    assert_string_equal(kit_header(&answer, "Allow"), "GET, HEAD, OPTIONS");
    assert_string_equal(kit_header(&answer, "Content-Type"), "application/problem+json");
    assert_non_null(strstr(answer.body, "\"status\":405"));
    kit_send_text(fd, CHUNKED "3e9\r\n" X500 X500 "x");
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 413);
    assert_string_equal(kit_header(&answer, "Content-Type"), "application/problem+json");
    assert_string_equal(kit_header(&answer, "Connection"), "close");
    assert_non_null(strstr(answer.body, "\"status\":413"));
    close(fd);
}

static void handlers_see_what_was_sent(void **state)
{
    (void)state;
    struct kit_answer answer;
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd, "POST /tell/%7e%2Fa+b?x=%41+b&y=/? HTTP/1.1\r\n" H
                      "X-HEADER: \t one \r\nX-header: two\r\nContent-Length: 0\r\n\r\n");
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "POST\n/tell/%7e%2Fa+b?x=%41+b&y=/?\n/tell/~/a+b\none\n");
    assert_string_equal(kit_header(&answer, "X-One"), "1");
    assert_string_equal(kit_header(&answer, "X-Two"), "2");
    close(fd);
}

static void head_is_get_without_a_body(void **state)
{
    (void)state;
    struct kit_answer answer;
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd, "HEAD /ok HTTP/1.1\r\n" H "\r\n" GET_OK);
    kit_read(fd, &answer, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(kit_header(&answer, "Content-Length"), "2");
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "ok");
    close(fd);
}

static void bodies_arrive_whole_however_they_are_cut(void **state)
{
    (void)state;
    static const char *const forms[] = {
        POST "Content-Length: 11\r\n\r\nhello world",
        CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    };
    for (size_t f = 0; f < 2; f++) {
        struct kit_answer answer;
        int fd = kit_connect(http_server_port(server));
        for (const char *p = forms[f]; *p; p++)
            assert_true(kit_send(fd, p, 1));
        kit_read(fd, &answer, true);
        assert_int_equal(answer.status, 202);
        assert_string_equal(answer.body, "hello world");
        close(fd);
    }
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd, POST "Content-Length: 3\r\n\r\none" GET_OK CHUNKED "3\r\ntwo\r\n0\r\n\r\n"
                           "GET /nope HTTP/1.1\r\n" H "\r\n" POST "Content-Length: 5\r\n\r\nthree");
    static const struct {
        int status;
        const char *body;
    } expected[] = {{202, "one"}, {200, "ok"}, {202, "two"}, {404, NULL}, {202, "three"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct kit_answer answer;
        kit_read(fd, &answer, true);
        assert_int_equal(answer.status, expected[i].status);
        if (expected[i].body)
            assert_string_equal(answer.body, expected[i].body);
    }
    close(fd);
}

static void nothing_after_a_refused_head_is_obeyed(void **state)
{
    (void)state;
    struct kit_answer answer;
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd,
                  POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET_OK);
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 400);
    assert_true(kit_closes(fd));
    close(fd);
}

static void continue_is_sent_only_where_the_body_is_wanted(void **state)
{
    (void)state;
    static const char expect[] = "Expect: 100-continue\r\n";
    struct kit_answer answer;
    char request[512];
    int fd = kit_connect(http_server_port(server));
    snprintf(request, sizeof request, POST "%sContent-Length: 2\r\n\r\n", expect);
    kit_send_text(fd, request);
    kit_read(fd, &answer, false);
    assert_int_equal(answer.status, 100);
    kit_send_text(fd, "hi");
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 202);
    assert_string_equal(answer.body, "hi");

    snprintf(request, sizeof request, POST "%sContent-Length: 1001\r\n\r\n", expect);
    kit_send_text(fd, request);
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 413);
    assert_true(kit_closes(fd));
    close(fd);

    fd = kit_connect(http_server_port(server));
    snprintf(request, sizeof request, "POST /nope HTTP/1.1\r\n" H "%sContent-Length: 2\r\n\r\n",
             expect);
    kit_send_text(fd, request);
    kit_read(fd, &answer, true);
    assert_int_equal(answer.status, 404);
    assert_true(kit_closes(fd));
    close(fd);
}

static const struct {
    const char *listen;
    int rc;
    bool loopback;
} listens[] = {
    {"127.0.0.1:8101", 0, true},
    {"127.9.9.9:1", 0, true},
    {"[::1]:8101", 0, true},
    {"localhost:8101", 0, true},
    {"[::ffff:127.0.0.1]:1", 0, true},
    {"0.0.0.0:8101", 0, false},
    {":8101", 0, false},
    {"[::]:8101", 0, false},
    {"10.0.0.1:80", 0, false},
    {"example.com:80", 0, false},
    {"127.0.0.1", ERR_INVALID, false},
    {"127.0.0.1:", ERR_INVALID, false},
    {"127.0.0.1:http", ERR_INVALID, false},
    {"127.0.0.1:65536", ERR_INVALID, false},
    {"::1:80", ERR_INVALID, false},
    {"[::1:80", ERR_INVALID, false},
    {"", ERR_INVALID, false},
};

static void tells_loopback(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof listens / sizeof *listens; i++) {
        bool loopback = false;
        int rc = http_listen_is_loopback(listens[i].listen, &loopback);
        if (rc != listens[i].rc || loopback != listens[i].loopback)
            fail_msg("%s: %d %d", listens[i].listen, rc, loopback);
    }
}

static int try_listen(const char *listen)
{
    const struct http_server_options options = {.listen = listen,
                                                .routes = routes,
                                                .route_count = 1,
                                                .threads = 1,
                                                .connection_limit = 1,
                                                .read_deadline_ms = 1000,
                                                .idle_ms = 1000};
    struct http_server *other;
    int rc = http_server_start(&options, &other);
    if (rc == 0) {
        assert_true(http_server_port(other) > 0);
        http_server_stop(other, 1000);
    }
    return rc;
}

static void listens_or_says_why_not(void **state)
{
    (void)state;
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%d", http_server_port(server));
    assert_int_equal(try_listen(taken), ERR_IO);
    assert_int_equal(try_listen("nonsense"), ERR_IO);
    assert_int_equal(try_listen("203.0.113.1:0"), ERR_IO); /* nobody's address (RFC 5737) */
    assert_int_equal(try_listen("localhost:0"), 0);
    http_server_stop(NULL, 0);
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (probe >= 0 && bind(probe, (struct sockaddr *)&any, sizeof any) == 0)
        assert_int_equal(try_listen("[::1]:0"), 0);
    close(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_requests_get_their_exact_answer),
        cmocka_unit_test(refusals_are_problems),
        cmocka_unit_test(handlers_see_what_was_sent),
        cmocka_unit_test(head_is_get_without_a_body),
        cmocka_unit_test(bodies_arrive_whole_however_they_are_cut),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(nothing_after_a_refused_head_is_obeyed),
        cmocka_unit_test(continue_is_sent_only_where_the_body_is_wanted),
        cmocka_unit_test(tells_loopback),
        cmocka_unit_test(listens_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
