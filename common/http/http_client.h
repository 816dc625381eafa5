/* HTTP out (over libcurl): one request at a time, everything bounded. */
#ifndef COMMON_HTTP_HTTP_CLIENT_H
#define COMMON_HTTP_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/base/fault.h"

struct http_client; /* keeps its connection between requests; one thread */

struct http_answer {
    int status;         /* 0: no answer */
    int retry_after_s;  /* at most a day; -1: none given */
    struct buffer body; /* at most the client's limit, else ERR_LIMIT */
    char error[256];    /* why there was no answer */
};

struct http_client_options { /* texts are borrowed, for the client's life */
    int timeout_ms;          /* for the whole request */
    int connect_timeout_ms;  /* 0: as timeout_ms */
    size_t body_limit;       /* of an answer */
    const char *ca_file;     /* certificates to trust in place of the system's; NULL: those */
    bool any_certificate;    /* whatever the host shows: for nothing that is secret, or believed */
    bool direct;             /* asks the host itself, whatever proxy the environment names */
    const atomic_bool *cut;  /* once true, a request under way is given up within a second or so;
                                NULL: never */
};

int http_client_new(const struct http_client_options *options, struct http_client **out) CHECKED;
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

/* An URL that a client can ask: http or https, with a host. The fault does not show it, since it
 * may have a password in it; its pointer is left to the caller. */
int http_client_check_url(const char *url, struct fault *fault) CHECKED;

/* "https://host:8443" of an URL: what of it may stand in a log. "" where it is none. */
#define HTTP_ORIGIN_SIZE 300
void http_client_origin(const char *url, char origin[HTTP_ORIGIN_SIZE]);

#endif
