/* HTTP out (over libcurl): one request at a time, everything bounded. */
#ifndef COMMON_HTTP_HTTP_CLIENT_H
#define COMMON_HTTP_HTTP_CLIENT_H

#include "common/base/buffer.h"

struct http_client; /* keeps its connection between requests; one thread */

struct http_answer {
    int status;         /* 0: no answer */
    int retry_after_s;  /* at most a day; -1: none given */
    struct buffer body; /* at most the client's limit, else ERR_LIMIT */
    char error[256];    /* why there was no answer */
};

/* `timeout_ms` for the whole request, body_limit for an answer. */
int http_client_new(int timeout_ms, size_t body_limit, struct http_client **out) CHECKED;
void http_client_free(struct http_client *client);

/* `headers` ends with NULL, each "Name: value". Redirects are not followed, TLS
 * is verified. 0 when there is an answer, whatever its status; ERR_BUSY when
 * there is none, ERR_LIMIT when it is too long (answer->error says why, not
 * logged: the caller decides). The answer is set in any case, and the caller's
 * to http_answer_free. */
int http_client_post(struct http_client *client, const char *url, const char *const *headers,
                     struct span body, struct http_answer *answer) CHECKED;
int http_client_get(struct http_client *client, const char *url, const char *const *headers,
                    struct http_answer *answer) CHECKED;
void http_answer_free(struct http_answer *answer);

#endif
