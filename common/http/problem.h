/* Errors for people and programs: application/problem+json (RFC 9457). */
#ifndef COMMON_HTTP_PROBLEM_H
#define COMMON_HTTP_PROBLEM_H

#include "common/base/buffer.h"
#include "common/http/http_server.h"

struct problem_error {
    int64_t index;       /* which event of a batch; -1: not a batch */
    const char *pointer; /* JSON Pointer into that event; "" for the whole */
    const char *detail;
};

/* Most errors that an answer lists; its detail then says how many more there are. */
#define PROBLEM_ERRORS_LIMIT 100

/* Title is the status' own reason phrase. A 503 gets Retry-After: 1, a 401
 * WWW-Authenticate: Bearer. `errors` may be NULL; an index of -1 is left out. */
void http_respond_problem(struct http_request *request, int status, const char *detail,
                          const struct problem_error *errors, size_t error_count);

/* The same with more headers (405's Allow). */
void http_respond_problem_with(struct http_request *request, int status, const char *detail,
                               const struct problem_error *errors, size_t error_count,
                               const struct http_header *headers);

/* The reason phrase of a status, "Error" for one without. */
const char *problem_title(int status);

/* Appends the JSON document alone. Bytes that are no UTF-8 become question marks. */
void problem_render(struct buffer *out, int status, const char *detail,
                    const struct problem_error *errors, size_t error_count);

/* "Bearer <token>" equals one of `tokens`, which stand in a line each, in constant time. NULL:
 * everybody may; without a line: nobody. */
bool http_bearer_ok(const struct http_request *request, const char *tokens);

#endif
