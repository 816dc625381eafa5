/* common/http/problem: the JSON of an error, and bearer tokens. Answers go through a real server.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/http/http_server_internal.h"
#include "common/http/problem.h"
#include "tests/unit/http_kit.h"

static const struct {
    const char *what;
    int status;
    const char *detail;
    struct problem_error errors[2];
    size_t count;
    const char *json;
} problems[] = {
    {"plain",
     404,
     "nothing here",
     {{0}},
     0,
     "{\"title\":\"Not Found\",\"status\":404,\"detail\":\"nothing here\"}"},
    {"no detail",
     500,
     NULL,
     {{0}},
     0,
     "{\"title\":\"Internal Server Error\",\"status\":500,\"detail\":\"\"}"},
    {"a status without a phrase",
     418,
     "x",
     {{0}},
     0,
     "{\"title\":\"Error\",\"status\":418,\"detail\":\"x\"}"},
    {"one event",
     400,
     "bad",
     {{-1, "/data/amount", "is missing"}},
     1,
     "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"bad\","
     "\"errors\":[{\"pointer\":\"/data/amount\",\"detail\":\"is missing\"}]}"},
    {"a batch",
     400,
     "bad",
     {{0, "", "a"}, {17, "/id", "b"}},
     2,
     "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"bad\",\"errors\":["
     "{\"index\":0,\"pointer\":\"\",\"detail\":\"a\"},"
     "{\"index\":17,\"pointer\":\"/id\",\"detail\":\"b\"}]}"},
    {"escapes",
     400,
     "\"\\\n\001\303\244",
     {{0}},
     0,
     "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"\\\"\\\\\\n\\u0001\303\244\"}"},
    {"no UTF-8",
     400,
     "a\303",
     {{-1, "/\377", "\300\200"}},
     1,
     "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"a?\","
     "\"errors\":[{\"pointer\":\"/?\",\"detail\":\"?\?\"}]}"},
};

static void renders_problems(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        struct buffer out;
        buffer_init(&out, 4096);
        problem_render(&out, problems[i].status, problems[i].detail,
                       problems[i].count ? problems[i].errors : NULL, problems[i].count);
        if (strcmp(out.data, problems[i].json) != 0)
            fail_msg("%s: %s", problems[i].what, out.data);
        buffer_free(&out);
    }
}

static json_t *render_many(size_t count)
{
    static struct problem_error errors[200];
    static char details[200][32];
    for (size_t i = 0; i < count; i++) {
        snprintf(details[i], sizeof details[i], "event %zu", i);
        errors[i] = (struct problem_error){(int64_t)i, "/id", details[i]};
    }
    struct buffer out;
    buffer_init(&out, 64 * 1024);
    problem_render(&out, 400, "bad events", errors, count);
    json_t *json = json_loadb(out.data, out.len, 0, NULL);
    buffer_free(&out);
    assert_non_null(json);
    return json;
}

static void lists_a_hundred_and_counts_the_rest(void **state)
{
    (void)state;
    json_t *json = render_many(100);
    assert_int_equal(json_array_size(json_object_get(json, "errors")), 100);
    assert_string_equal(json_string_value(json_object_get(json, "detail")), "bad events");
    json_decref(json);
    json = render_many(137);
    assert_int_equal(json_array_size(json_object_get(json, "errors")), 100);
    assert_string_equal(json_string_value(json_object_get(json, "detail")),
                        "bad events (37 more errors are not listed)");
    json_decref(json);
}

/* --- over HTTP --- */

static void answer_503(struct http_request *request, void *context)
{
    (void)context;
    http_respond_problem(request, 503, "busy", NULL, 0);
}

static void answer_503_later(struct http_request *request, void *context)
{
    (void)context;
    http_respond_problem_with(request, 503, "busy", NULL, 0,
                              (struct http_header[]){{"retry-after", "30"}, {NULL, NULL}});
}

static void answer_401(struct http_request *request, void *context)
{
    (void)context;
    http_respond_problem(request, 401, "who are you?", NULL, 0);
}

static void answer_enormous(struct http_request *request, void *context)
{
    (void)context;
    size_t size = 1024 * 1024;
    char *detail = malloc(size);
    memset(detail, 'x', size - 1);
    detail[size - 1] = '\0';
    http_respond_problem(request, 400, detail, NULL, 0);
    free(detail);
}

static void answer_bearer(struct http_request *request, void *token)
{
    http_respond(request, http_bearer_ok(request, token) ? 200 : 401, NULL, (struct span){NULL, 0},
                 NULL);
}

static char token[] = "s3cret";

static const struct http_route routes[] = {
    {"GET", "/503", answer_503, NULL},        {"GET", "/503-later", answer_503_later, NULL},
    {"GET", "/401", answer_401, NULL},        {"GET", "/enormous", answer_enormous, NULL},
    {"GET", "/bearer", answer_bearer, token}, {"GET", "/open", answer_bearer, NULL},
};

static struct http_server *server;

static int start(void **state)
{
    (void)state;
    const struct http_server_options options = {.listen = "127.0.0.1:0",
                                                .routes = routes,
                                                .route_count = sizeof routes / sizeof *routes,
                                                .body_limit = 1024,
                                                .memory_limit = HTTP_HEAD_MEMORY + 1024,
                                                .connection_limit = 10,
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

static struct kit_answer get(const char *path, const char *headers)
{
    struct kit_answer answer;
    char request[512];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: tl\r\n%s\r\n", path, headers);
    int fd = kit_connect(http_server_port(server));
    kit_send_text(fd, request);
    kit_read(fd, &answer, true);
    close(fd);
    return answer;
}

static void answers_say_what_to_do(void **state)
{
    (void)state;
    struct kit_answer answer = get("/503", "");
    assert_int_equal(answer.status, 503);
    assert_string_equal(kit_header(&answer, "Retry-After"), "1");
    assert_string_equal(kit_header(&answer, "Content-Type"), "application/problem+json");
    assert_string_equal(answer.body,
                        "{\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"busy\"}");
    answer = get("/503-later", "");
    assert_string_equal(kit_header(&answer, "Retry-After"), "30");
    answer = get("/401", "");
    assert_int_equal(answer.status, 401);
    assert_string_equal(kit_header(&answer, "WWW-Authenticate"), "Bearer");
    answer = get("/enormous", "");
    assert_int_equal(answer.status, 400);
    assert_string_equal(answer.body, "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"\"}");
}

static const struct {
    const char *path, *headers;
    int status;
} bearers[] = {
    {"/bearer", "Authorization: Bearer s3cret\r\n", 200},
    {"/bearer", "authorization: bearer s3cret\r\n", 200},
    {"/bearer", "Authorization: Bearer s3crex\r\n", 401},
    {"/bearer", "Authorization: Bearer s3cre\r\n", 401},
    {"/bearer", "Authorization: Bearer s3crets\r\n", 401},
    {"/bearer", "Authorization: Bearer\r\n", 401},
    {"/bearer", "Authorization: s3cret\r\n", 401},
    {"/bearer", "Authorization: Basic s3cret\r\n", 401},
    {"/bearer", "Authorization: Bearer s3cret\r\nAuthorization: Bearer s3cret\r\n", 401},
    {"/bearer", "", 401},
    {"/open", "", 200},
    {"/open", "Authorization: Bearer x\r\n", 200},
};

static void bearer_tokens_open_or_do_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bearers / sizeof *bearers; i++) {
        struct kit_answer answer = get(bearers[i].path, bearers[i].headers);
        if (answer.status != bearers[i].status)
            fail_msg("%s %s: %d", bearers[i].path, bearers[i].headers, answer.status);
    }
}

/* Of two headers it is open which would count, also where one has no value at all. */
static void a_second_header_without_a_value_is_one_too_many(void **state)
{
    (void)state;
    struct record_header headers[] = {{span_of("authorization"), {NULL, 0}},
                                      {span_of("Authorization"), span_of("Bearer s3cret")}};
    struct http_request request = {.headers = headers, .header_count = 2};
    assert_false(http_bearer_ok(&request, token));
    request.headers = &headers[1];
    request.header_count = 1;
    assert_true(http_bearer_ok(&request, token));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_problems),
        cmocka_unit_test(a_second_header_without_a_value_is_one_too_many),
        cmocka_unit_test(lists_a_hundred_and_counts_the_rest),
        cmocka_unit_test(answers_say_what_to_do),
        cmocka_unit_test(bearer_tokens_open_or_do_not),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
