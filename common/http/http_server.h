/*
 * HTTP/1.1 in (over libmicrohttpd): requests arrive whole, answers may come
 * later and from another thread, and whatever a client does, it is bounded.
 *
 * A handler is called once, on a server thread, with the request's complete
 * body. It answers by http_respond, exactly once, at once or later from any
 * thread; until then the connection is suspended and costs no thread. The
 * request and its arena live until then; after http_respond they must not be
 * touched.
 *
 * Refused before any handler sees it: a body over the limit (413, counted, not
 * declared), a head over some 15 KiB (431, 414), what request_check.h refuses (400, 417, 501 and
 * close; RFC 9112 section 6.3), a head that is no plain lines (400 and close: a NUL, a bare line
 * feed, a folded line), a method the path does not know (405 with Allow), an unknown path (404). A
 * request that is not complete `read_deadline_ms` after its first byte is cut off, likewise an
 * answer that is not taken in that time; for a new connection the clock starts when it is accepted.
 * A connection past a limit gets 503 and is closed; over TLS it is closed only, since there is no
 * handshake yet.
 *
 * Behind a proxy that is trusted (forwarded.h) the limit of connections for each client is one of
 * requests under way: they count for whom the proxy tells of, not for the proxy.
 */
#ifndef COMMON_HTTP_HTTP_SERVER_H
#define COMMON_HTTP_HTTP_SERVER_H

#include "common/base/arena.h"
#include "common/base/config.h"
#include "common/base/error.h"
#include "common/kafka/record.h"

struct http_server;
struct http_request;

typedef void http_handler(struct http_request *request, void *context);

struct http_route {
    const char *method; /* "POST"; "GET" also serves HEAD */
    const char *path;   /* exact, or ending in a slash and star: any rest, slashes too */
    http_handler *handler;
    void *context;
};

/* What the head of one request takes at most of memory_limit. */
#define HTTP_HEAD_MEMORY (64 * 1024)

struct http_server_options {
    const char *listen;              /* "127.0.0.1:8101", "[::1]:8101"; port 0 picks one */
    const struct http_route *routes; /* must outlive the server */
    size_t route_count;
    unsigned threads;                /* 0: 2 */
    size_t body_limit;               /* bytes */
    size_t memory_limit;             /* of all unanswered requests; past it 503 and close */
    unsigned connection_limit;       /* in total */
    unsigned connections_per_client; /* by address; 0: no bound */
    int read_deadline_ms;
    int idle_ms;                           /* of a kept-alive connection */
    const char *tls_certificate, *tls_key; /* PEM files, both or none; NULL: no TLS */
    const char *trusted_proxies;           /* as forwarded_trust_parse has it; NULL: nobody */
};

/* Fills in what the configuration says of every listener: deadlines, TLS, trusted proxies. */
void http_server_configure(struct http_server_options *options, const struct config *config);

bool http_server_has_tls(const struct config *config);

/* Can a listener be started with that: are certificate and key there, and do they belong together?
 * ERR_INVALID with pointer "/tls_certificate", "/tls_key" or "/trusted_proxies". */
int http_server_check(const struct config *config, struct fault *fault) CHECKED;

/* Reads certificate and key of a running listener anew, by the files that `config` names now: who
 * connects from now on is shown them. ERR_INVALID, with fault, where they are no good, or TLS was
 * switched on or off, which wants a restart: the old ones are shown on. Any thread. */
int http_server_renew(struct http_server *server, const struct config *config,
                      struct fault *fault) CHECKED;

/* ERR_IO when it cannot listen, ERR_INVALID when certificate, key or proxies are no good (both
 * logged). */
int http_server_start(const struct http_server_options *options, struct http_server **out) CHECKED;
int http_server_port(const struct http_server *server);

/* Takes no new connections, answers what is under way (at most `ms`), then
 * closes and frees. Every handler must answer by then; late ones are cut. NULL is fine. */
void http_server_stop(struct http_server *server, int ms);

/* Loopback addresses only (127.0.0.0/8, ::1, "localhost")? ERR_INVALID: no address. */
int http_listen_is_loopback(const char *listen, bool *loopback) CHECKED;

/* Where the same machine reaches what listens there, "127.0.0.1:8101": a wildcard address becomes
 * loopback. ERR_INVALID: no address, port 0, or no room in `address`. */
int http_listen_reach(const char *listen, char *address, size_t size) CHECKED;

struct span http_request_method(const struct http_request *request);
struct span http_request_path(const struct http_request *request); /* decoded, without the query */
struct span
http_request_target(const struct http_request *request); /* raw: path and query as sent */
struct span http_request_body(const struct http_request *request);
/* When the last part of it was read (clock_monotonic_ms): before the handler was called. */
int64_t http_request_read_ms(const struct http_request *request);
/* Absent where there is none; the first where there are several. Case aside. */
struct span http_request_header(const struct http_request *request, const char *name);
/* All headers, names as sent. */
size_t http_request_headers(const struct http_request *request,
                            const struct record_header **headers);
/* Holds at most four times the body limit and 256 KiB. */
struct arena *http_request_arena(struct http_request *request);

/* `headers` (may be NULL) ends with {NULL, …}. Everything is copied. */
struct http_header {
    const char *name, *value;
};
void http_respond(struct http_request *request, int status, const char *content_type,
                  struct span body, const struct http_header *headers);

#endif
