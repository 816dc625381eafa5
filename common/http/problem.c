#include "common/http/problem.h"

#include <inttypes.h>
#include <openssl/crypto.h>

#include "common/base/hex.h"

/* 100 errors of the longest pointer and detail, escaped, are some 200 KB. */
#define RENDER_LIMIT (512 * 1024)

#define HEADERS_LIMIT 8

static const struct {
    int status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
};

const char *problem_title(int status)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

/* A detail may quote what a client sent, or have been cut inside a character. */
static void append_text(struct buffer *out, const char *text)
{
    struct span span = span_of(text ? text : "");
    if (utf8_valid(span)) {
        buffer_append_json_string(out, span);
        return;
    }
    struct buffer ascii;
    buffer_init(&ascii, span.len);
    for (size_t i = 0; i < span.len; i++)
        buffer_append_char(&ascii, (unsigned char)span.ptr[i] < 0x80 ? span.ptr[i] : '?');
    buffer_append_json_string(out, buffer_span(&ascii));
    buffer_free(&ascii);
}

static void append_error(struct buffer *out, const struct problem_error *error)
{
    buffer_append_char(out, '{');
    if (error->index >= 0)
        buffer_printf(out, "\"index\":%" PRId64 ",", error->index);
    buffer_append_text(out, "\"pointer\":");
    append_text(out, error->pointer);
    buffer_append_text(out, ",\"detail\":");
    append_text(out, error->detail);
    buffer_append_char(out, '}');
}

static void append_detail(struct buffer *out, const char *detail, size_t unlisted)
{
    buffer_append_text(out, ",\"detail\":");
    if (unlisted == 0) {
        append_text(out, detail);
        return;
    }
    struct buffer text;
    buffer_init(&text, RENDER_LIMIT);
    buffer_printf(&text, "%s (%zu more errors are not listed)", detail ? detail : "", unlisted);
    append_text(out, text.data);
    buffer_free(&text);
}

void problem_render(struct buffer *out, int status, const char *detail,
                    const struct problem_error *errors, size_t error_count)
{
    size_t listed = error_count < PROBLEM_ERRORS_LIMIT ? error_count : PROBLEM_ERRORS_LIMIT;
    buffer_append_text(out, "{\"title\":");
    append_text(out, problem_title(status));
    buffer_printf(out, ",\"status\":%d", status);
    append_detail(out, detail, error_count - listed);
    if (errors && listed > 0) {
        buffer_append_text(out, ",\"errors\":[");
        for (size_t i = 0; i < listed; i++) {
            if (i > 0)
                buffer_append_char(out, ',');
            append_error(out, &errors[i]);
        }
        buffer_append_char(out, ']');
    }
    buffer_append_char(out, '}');
}

void http_respond_problem(struct http_request *request, int status, const char *detail,
                          const struct problem_error *errors, size_t error_count)
{
    http_respond_problem_with(request, status, detail, errors, error_count, NULL);
}

static bool has_header(const struct http_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (span_is_nocase(span_of(headers[i].name), name))
            return true;
    return false;
}

void http_respond_problem_with(struct http_request *request, int status, const char *detail,
                               const struct problem_error *errors, size_t error_count,
                               const struct http_header *headers)
{
    struct http_header all[HEADERS_LIMIT + 2] = {{NULL, NULL}};
    size_t count = 0;
    for (; headers && headers[count].name && count < HEADERS_LIMIT; count++)
        all[count] = headers[count];
    if (status == 503 && !has_header(all, count, "Retry-After"))
        all[count++] = (struct http_header){"Retry-After", "1"};
    if (status == 401 && !has_header(all, count, "WWW-Authenticate"))
        all[count++] = (struct http_header){"WWW-Authenticate", "Bearer"};

    struct buffer body;
    buffer_init(&body, RENDER_LIMIT);
    problem_render(&body, status, detail, errors, error_count);
    if (body.failed) { /* say less rather than nothing */
        buffer_clear(&body);
        problem_render(&body, status, NULL, NULL, 0);
    }
    http_respond(request, status, "application/problem+json", buffer_span(&body), all);
    buffer_free(&body);
}

/* Looks at all of them, so that the time does not tell which it was. */
static bool is_one_of(struct span given, struct span tokens)
{
    bool found = false;
    for (struct span token; span_next_line(&tokens, &token);)
        found |= given.len == token.len && CRYPTO_memcmp(given.ptr, token.ptr, given.len) == 0;
    return found;
}

bool http_bearer_ok(const struct http_request *request, const char *tokens)
{
    if (!tokens)
        return true;
    const struct record_header *headers;
    size_t count = http_request_headers(request, &headers);
    struct span value = {NULL, 0};
    bool given_already = false; /* also one without a value counts */
    for (size_t i = 0; i < count; i++) {
        if (!span_is_nocase(headers[i].name, "Authorization"))
            continue;
        if (given_already)
            return false; /* which of the two would it be? */
        given_already = true;
        value = headers[i].value;
    }
    static const char scheme[] = "Bearer ";
    const size_t skip = sizeof scheme - 1;
    if (value.len < skip || !span_is_nocase((struct span){value.ptr, skip}, scheme))
        return false;
    struct span given = {value.ptr + skip, value.len - skip};
    return is_one_of(given, span_of(tokens));
}
