/* common/http/request_check: the rules on a request's head, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/http/request_check.h"

#define HOST "Host", "tl.example"

static const struct {
    const char *what, *method, *target, *version;
    const char *headers[10]; /* name, value, … */
    int status;
} heads[] = {
    {"plain", "GET", "/a?b=c", "HTTP/1.1", {HOST}, 0},
    {"no Host needed in 1.0", "GET", "/", "HTTP/1.0", {NULL}, 0},
    {"empty Host", "GET", "/", "HTTP/1.1", {"Host", ""}, 0},
    {"absolute form", "GET", "http://tl.example:8101/a", "HTTP/1.1", {HOST}, 0},
    {"absolute form in capitals", "GET", "HTTPS://tl.example", "HTTP/1.1", {HOST}, 0},
    {"length", "POST", "/", "HTTP/1.1", {HOST, "content-length", "12"}, 0},
    {"chunked", "POST", "/", "HTTP/1.1", {HOST, "Transfer-Encoding", "Chunked"}, 0},
    {"bytes above 127 in a value", "GET", "/", "HTTP/1.1", {HOST, "X", "\303\244\t."}, 0},
    {"no Host", "GET", "/", "HTTP/1.1", {NULL}, 400},
    {"no Host in 1.2", "GET", "/", "HTTP/1.2", {NULL}, 400},
    {"two Hosts", "GET", "/", "HTTP/1.1", {HOST, "hOST", "tl.example"}, 400},
    {"two Hosts in 1.0", "GET", "/", "HTTP/1.0", {HOST, HOST}, 400},
    {"a list of hosts", "GET", "/", "HTTP/1.1", {"Host", "a, b"}, 400},
    {"a path in Host", "GET", "/", "HTTP/1.1", {"Host", "a/b"}, 400},
    {"two lengths",
     "POST",
     "/",
     "HTTP/1.1",
     {HOST, "Content-Length", "1", "Content-Length", "1"},
     400},
    {"a list of lengths", "POST", "/", "HTTP/1.1", {HOST, "Content-Length", "1, 1"}, 400},
    {"a signed length", "POST", "/", "HTTP/1.1", {HOST, "Content-Length", "+1"}, 400},
    {"a negative length", "POST", "/", "HTTP/1.1", {HOST, "Content-Length", "-1"}, 400},
    {"an empty length", "POST", "/", "HTTP/1.1", {HOST, "Content-Length", ""}, 400},
    {"a hexadecimal length", "POST", "/", "HTTP/1.1", {HOST, "Content-Length", "0x1"}, 400},
    {"a length past 64 bits",
     "POST",
     "/",
     "HTTP/1.1",
     {HOST, "Content-Length", "18446744073709551617"},
     400},
    {"both",
     "POST",
     "/",
     "HTTP/1.1",
     {HOST, "Content-Length", "1", "Transfer-Encoding", "chunked"},
     400},
    {"two encodings",
     "POST",
     "/",
     "HTTP/1.1",
     {HOST, "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"},
     400},
    {"an unknown encoding",
     "POST",
     "/",
     "HTTP/1.1",
     {HOST, "Transfer-Encoding", "gzip, chunked"},
     501},
    {"an encoding in 1.0", "POST", "/", "HTTP/1.0", {HOST, "Transfer-Encoding", "chunked"}, 400},
    {"a space before the colon", "POST", "/", "HTTP/1.1", {HOST, "Content-Length ", "1"}, 400},
    {"an empty name", "GET", "/", "HTTP/1.1", {HOST, "", "x"}, 400},
    {"a bare CR", "GET", "/", "HTTP/1.1", {HOST, "X", "a\rb"}, 400},
    {"a bell", "GET", "/", "HTTP/1.1", {HOST, "X", "\a"}, 400},
    {"a method with a slash", "GET/", "/", "HTTP/1.1", {HOST}, 400},
    {"no target", "GET", "", "HTTP/1.1", {HOST}, 400},
    {"a target without a slash", "GET", "a", "HTTP/1.1", {HOST}, 400},
    {"the target of OPTIONS *", "OPTIONS", "*", "HTTP/1.1", {HOST}, 400},
    {"another scheme", "GET", "ftp://tl.example/", "HTTP/1.1", {HOST}, 400},
    {"a space in the target", "GET", "/a b", "HTTP/1.1", {HOST}, 400},
    {"a fragment", "GET", "/a#b", "HTTP/1.1", {HOST}, 400},
    {"an expectation", "POST", "/", "HTTP/1.1", {HOST, "Expect", "100-Continue"}, 0},
    {"another expectation", "POST", "/", "HTTP/1.1", {HOST, "Expect", "200-ok"}, 417},
    {"an unknown one beside the known",
     "POST",
     "/",
     "HTTP/1.1",
     {HOST, "Expect", "x", "Expect", "100-continue"},
     417},
    {"another expectation in 1.0", "POST", "/", "HTTP/1.0", {HOST, "Expect", "200-ok"}, 0},
    {"a byte above 127 in the target", "GET", "/\303\244", "HTTP/1.1", {HOST}, 400},
};

static void checks_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct record_header headers[5];
        size_t count = 0;
        for (; count < 5 && heads[i].headers[count * 2]; count++)
            headers[count] = (struct record_header){span_of(heads[i].headers[count * 2]),
                                                    span_of(heads[i].headers[count * 2 + 1])};
        struct request_head head = {span_of(heads[i].method), span_of(heads[i].target),
                                    span_of(heads[i].version), headers, count};
        struct request_shape shape;
        const char *detail = NULL;
        int status = request_check(&head, &shape, &detail);
        if (status != heads[i].status || (status && !detail))
            fail_msg("%s: %d instead of %d", heads[i].what, status, heads[i].status);
    }
}

static void bounds_the_number_of_headers(void **state)
{
    (void)state;
    struct record_header headers[REQUEST_HEADERS_LIMIT + 1];
    for (size_t i = 0; i <= REQUEST_HEADERS_LIMIT; i++)
        headers[i] = (struct record_header){span_of("X"), span_of("y")};
    headers[0].name = span_of("Host");
    struct request_head head = {span_of("GET"), span_of("/"), span_of("HTTP/1.1"), headers,
                                REQUEST_HEADERS_LIMIT};
    struct request_shape shape;
    const char *detail;
    assert_int_equal(request_check(&head, &shape, &detail), 0);
    head.header_count++;
    assert_int_equal(request_check(&head, &shape, &detail), 431);
}

static void tells_the_shape(void **state)
{
    (void)state;
    struct record_header headers[] = {{span_of("Host"), span_of("a")},
                                      {span_of("Content-Length"), span_of("007")},
                                      {span_of("Expect"), span_of("100-Continue")}};
    struct request_head head = {span_of("POST"), span_of("/"), span_of("HTTP/1.1"), headers, 3};
    struct request_shape shape;
    const char *detail;
    assert_int_equal(request_check(&head, &shape, &detail), 0);
    assert_int_equal(shape.content_length, 7);
    assert_true(shape.expects_continue);
    head.header_count = 1;
    assert_int_equal(request_check(&head, &shape, &detail), 0);
    assert_int_equal(shape.content_length, -1);
    assert_false(shape.expects_continue);
}

static const struct {
    const char *target, *path; /* NULL: invalid */
} paths[] = {
    {"/", "/"},
    {"/a/b", "/a/b"},
    {"/a?b=%zz", "/a"},
    {"/%61%2Fb%252F+", "/a/b%2F+"},
    {"http://h/a?b", "/a"},
    {"http://h", "/"},
    {"https://h?x", "/"},
    {"/a%", NULL},
    {"/a%4", NULL},
    {"/a%g1", NULL},
    {"/a%00", NULL},
};

static void decodes_paths_once(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct span path;
        int rc = request_path(&arena, span_of(paths[i].target), &path);
        if (rc != (paths[i].path ? 0 : ERR_INVALID) || (rc == 0 && !span_is(path, paths[i].path)))
            fail_msg("%s: %d", paths[i].target, rc);
    }
    arena_free(&arena);
}

static void matches_patterns(void **state)
{
    (void)state;
    assert_true(request_path_matches(span_of("/events"), "/events"));
    assert_false(request_path_matches(span_of("/events/"), "/events"));
    assert_false(request_path_matches(span_of("/event"), "/events"));
    assert_true(request_path_matches(span_of("/webhooks/stripe"), "/webhooks/*"));
    assert_true(request_path_matches(span_of("/webhooks/a/b"), "/webhooks/*"));
    assert_true(request_path_matches(span_of("/webhooks/"), "/webhooks/*"));
    assert_false(request_path_matches(span_of("/webhooks"), "/webhooks/*"));
    assert_false(request_path_matches(span_of("/webhooksx/a"), "/webhooks/*"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_heads),     cmocka_unit_test(bounds_the_number_of_headers),
        cmocka_unit_test(tells_the_shape),  cmocka_unit_test(decodes_paths_once),
        cmocka_unit_test(matches_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
