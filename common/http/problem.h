/* Errors for people and programs: application/problem+json (RFC 9457). */
#ifndef COMMON_HTTP_PROBLEM_H
#define COMMON_HTTP_PROBLEM_H

#include "common/http/http_server.h"

struct problem_error {
    int64_t index;       /* which event of a batch; -1: not a batch */
    const char *pointer; /* JSON Pointer into that event; "" for the whole */
    const char *detail;
};

/* Title is the status' own reason phrase. A 503 gets Retry-After: 1, a 401
 * WWW-Authenticate: Bearer. `errors` may be NULL. */
void http_respond_problem(struct http_request *request, int status, const char *detail,
                          const struct problem_error *errors, size_t error_count);

/* The same with more headers (405's Allow). */
void http_respond_problem_with(struct http_request *request, int status, const char *detail,
                               const struct problem_error *errors, size_t error_count,
                               const struct http_header *headers);

/* "Bearer <token>" equals `token`, in constant time. NULL token: everybody may. */
bool http_bearer_ok(const struct http_request *request, const char *token);

#endif
