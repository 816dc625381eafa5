/*
 * What the files of the HTTP server share:
 *
 *   http_server.c           start and stop
 *   http_server_gate.c      a thread that accepts, and cuts off connections past their deadline
 *   http_server_head.c      is the head that was read the one that was sent?
 *   http_server_request.c   libmicrohttpd's calls: a request comes in, piece by piece
 *   http_server_answer.c    the way back: answering, suspending, resuming
 *   http_server_address.c   "127.0.0.1:8101"
 *   http_server_tls.c       certificate and key
 *   http_server_settings.c  what the configuration says of it, and looking at that before
 *
 * One mutex guards all that changes and is seen by more than one thread; it is
 * never held while a handler runs. libmicrohttpd's own locks are taken inside
 * it (suspend, resume), never the other way round: its callbacks come without.
 */
#ifndef COMMON_HTTP_HTTP_SERVER_INTERNAL_H
#define COMMON_HTTP_HTTP_SERVER_INTERNAL_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>

#include "common/http/forwarded.h"
#include "common/http/http_server.h"
#include "common/http/http_server_tls.h"
#include "common/http/request_check.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

enum connection_phase {
    CONNECTION_NEW,     /* accepted; its first request is not complete */
    CONNECTION_READING, /* a later request has begun */
    CONNECTION_HANDLED, /* a handler has the request: no deadline here */
    CONNECTION_WRITING, /* the answer is on its way */
    CONNECTION_IDLE,    /* kept alive between requests */
};

struct http_connection {
    struct http_connection *next, *previous;
    struct http_server *server;
    int fd;
    struct in6_addr peer; /* IPv4 mapped, as all addresses here */
    bool proxied;         /* the peer is a proxy that is trusted: each request has its own client */

    /* Guarded by the server's mutex. */
    bool started; /* libmicrohttpd has taken the socket over and will tell when it closes it */
    bool cut;     /* shut down by the sweep */
    bool counted; /* for `client`: always, or, where it is proxied, while a request is under way */
    struct in6_addr client;
    enum connection_phase phase;
    int64_t deadline_ms;
    bool bytes_known; /* of an idle one, whether and how much the socket had received */
    uint64_t bytes;
    struct http_request *request;
};

enum answer_state {
    ANSWER_OPEN,    /* the handler may answer; the connection is not suspended */
    ANSWER_AWAITED, /* no answer yet; the connection is suspended */
    ANSWER_GIVEN,
    ANSWER_CUT, /* no answer, and it is too late: resumed by http_server_stop */
};

struct http_request {
    struct http_server *server;
    struct http_connection *connection;
    struct MHD_Connection *mhd;
    struct arena arena;
    struct span method, target, path;
    const char *sent_target; /* in libmicrohttpd's buffer, until the head has been looked at */
    struct record_header *headers;
    size_t header_count;
    const struct http_route *route;

    /* The body so far; server thread only until the handler is called. */
    char *body;
    size_t body_len, body_capacity;
    size_t body_declared; /* 0: not known */
    size_t body_seen;     /* counts what is thrown away, too */
    int refusal;          /* 404 or 405, given once the body is in; 0: none */
    bool begun;           /* the head has been checked */
    int64_t read_ms;      /* when its last part was read */

    /* Guarded by the server's mutex. */
    size_t reserved; /* bytes of memory_used */
    enum answer_state state;
    bool handed;    /* to a handler or to http_respond: one who will answer holds it */
    bool completed; /* libmicrohttpd has let go of it */
    int status;
    struct MHD_Response *response;
};

struct http_server {
    struct http_server_options options;
    struct forwarded_trust trust;
    struct http_tls *tls; /* NULL: none */
    struct MHD_Daemon *daemon;
    int port;
    int wake_fd; /* an eventfd that wakes the gate */
    pthread_t gate;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* under_way or listen_fd */
    int listen_fd;          /* -1 once closed */
    struct http_connection *connections;
    unsigned connection_count;
    size_t memory_used;
    size_t under_way;    /* requests begun and not completed */
    unsigned references; /* the owner's, and one for each request */
    bool draining;       /* no new connections, no keep-alive */
    bool cutting;        /* nobody waits for a handler any more */
    bool gate_ends;
};

/* http_server_answer.c */
struct http_request *http_request_new(struct http_server *server, struct MHD_Connection *mhd,
                                      struct http_connection *connection, const char *target);
/* What is in request->status and ->response goes out. False: the connection must be closed. */
bool http_request_send(struct http_request *request, bool close);
/* After the handler: sends the answer, or suspends until there is one. False: as above. */
bool http_request_settle(struct http_request *request);
/* libmicrohttpd is through with the request; frees it unless a handler still has it. */
void http_request_complete(struct http_request *request);
/* Resumes everything that still waits, and lets nothing wait any more. Returns how many. */
size_t http_server_cut_waiting(struct http_server *server);
void http_server_release(struct http_server *server);

/* http_server_gate.c */
void *http_server_gate(void *server);
/* The address of the socket among the connections let in; NULL if it is not known. */
struct http_connection *http_gate_started(struct http_server *server, int fd);
void http_gate_closed(struct http_server *server, struct http_connection *connection);
/* At the end: frees those of which libmicrohttpd has said nothing. */
void http_gate_forget(struct http_server *server);
/* Writes a problem past libmicrohttpd, as far as that goes without waiting, and shuts the
 * connection down for writing. The caller closes it, or has it closed. `mhd` is NULL for a socket
 * that libmicrohttpd does not have yet, which over TLS is told nothing. */
void http_gate_refuse(struct http_server *server, int fd, struct MHD_Connection *mhd, int status,
                      const char *detail);
/* The request that has begun is this client's. False: one too many of that client. */
bool http_gate_client(struct http_connection *connection, const struct in6_addr *client);

/* http_server_head.c: ERR_INVALID when libmicrohttpd has dropped or moved a byte of the head,
 * ERR_IO when it does not tell. The texts are those in its buffer; `target_len` is the target's
 * length as it was told before it was decoded. */
int http_head_check(struct MHD_Connection *mhd, const char *method, const char *target,
                    size_t target_len, const char *version) CHECKED;

/* http_server_settings.c: reads certificate, key and trusted proxies. Logs, then ERR_INVALID. */
int http_settings_open(struct http_server *server) CHECKED;

/* http_server_address.c: opens a listening socket. Logs, then ERR_IO. */
int http_address_listen(const char *listen, int *fd, int *port) CHECKED;

/* http_server_metrics.c: answers that no handler gave. Any thread, once the server was started. */
void http_metrics_init(void);
void http_metrics_refused(int status);

#endif
