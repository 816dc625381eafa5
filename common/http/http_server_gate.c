/*
 * The gate: one thread that accepts connections, hands them to libmicrohttpd's
 * threads, and cuts off those past their deadline.
 *
 * It accepts itself because libmicrohttpd 0.9.75 aborts the process when
 * MHD_quiesce_daemon meets a worker that is just leaving the listening socket
 * (both remove it from epoll, the second failure is a panic), and deadlocks a
 * worker that goes past its connection limit (new_connection_process_ returns
 * without unlocking). Here a limit is ours to keep, is answered with 503 instead
 * of silence, and to stop accepting is to close a socket.
 *
 * It keeps the deadlines because libmicrohttpd's timeout begins anew with every
 * byte, and because a request that is still in its head is shown to nobody.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/http_server_internal.h"
#include "common/http/problem.h"

/* How many connections are accepted before the deadlines get their turn. */
#define ACCEPT_SERIES 64

/* Bounds of the time between two looks at the deadlines. */
#define SWEEP_MIN_MS 5
#define SWEEP_MAX_MS 250

/* How often what a refused client has sent is read and thrown away. */
#define DRAIN_READS 16

static bool send_last(int fd, struct MHD_Connection *mhd, bool tls, struct span text)
{
    if (tls)
        return http_tls_send_last(mhd, text);
    return send(fd, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)text.len &&
           shutdown(fd, SHUT_WR) == 0;
}

void http_gate_refuse(struct http_server *server, int fd, struct MHD_Connection *mhd, int status,
                      const char *detail)
{
    struct buffer body, answer;
    http_metrics_refused(status);
    if (server->tls && !mhd)
        return; /* nothing could be read of what is said before the handshake */
    buffer_init(&body, 4096);
    buffer_init(&answer, 8192);
    problem_render(&body, status, detail, NULL, 0);
    buffer_printf(&answer,
                  "HTTP/1.1 %d %s\r\n%sConnection: close\r\n"
                  "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n\r\n",
                  status, problem_title(status), status == 503 ? "Retry-After: 1\r\n" : "",
                  body.len);
    buffer_append_span(&answer, buffer_span(&body));
    if (!answer.failed && send_last(fd, mhd, server->tls, buffer_span(&answer))) {
        /* A close with unread bytes resets the connection, which can overtake the answer. */
        char waste[4096];
        for (int i = 0; i < DRAIN_READS; i++)
            if (recv(fd, waste, sizeof waste, MSG_DONTWAIT) <= 0)
                break;
    }
    buffer_free(&body);
    buffer_free(&answer);
}

/* --- the list of connections --- */

static void link_connection(struct http_server *server, struct http_connection *connection)
{
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    server->connection_count++;
}

static void unlink_connection(struct http_server *server, struct http_connection *connection)
{
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    server->connection_count--;
}

/* The newest of that number counts: an older one that was never started (libmicrohttpd
 * had no memory for it) was closed, and its number given away again. */
struct http_connection *http_gate_started(struct http_server *server, int fd)
{
    pthread_mutex_lock(&server->mutex);
    struct http_connection *c = server->connections;
    while (c && (c->fd != fd || c->started))
        c = c->next;
    if (c)
        c->started = true;
    pthread_mutex_unlock(&server->mutex);
    return c;
}

void http_gate_closed(struct http_server *server, struct http_connection *connection)
{
    pthread_mutex_lock(&server->mutex);
    unlink_connection(server, connection);
    pthread_mutex_unlock(&server->mutex);
    free(connection);
}

void http_gate_forget(struct http_server *server)
{
    while (server->connections)
        http_gate_closed(server, server->connections);
}

/* --- letting in --- */

static struct in6_addr peer_of(const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET6)
        return ((const struct sockaddr_in6 *)from)->sin6_addr;
    struct in6_addr peer = {.s6_addr = {[10] = 0xFF, [11] = 0xFF}};
    memcpy(peer.s6_addr + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
    return peer;
}

/* Under the mutex: may this client have one more? */
static bool has_room(const struct http_server *server, const struct in6_addr *client)
{
    unsigned most = server->options.connections_per_client, same = 0;
    for (struct http_connection *c = server->connections; most && c; c = c->next)
        if (c->counted && IN6_ARE_ADDR_EQUAL(&c->client, client) && ++same >= most)
            return false;
    return true;
}

bool http_gate_client(struct http_connection *connection, const struct in6_addr *client)
{
    struct http_server *server = connection->server;
    if (!connection->proxied)
        return true; /* counted when it was let in */
    pthread_mutex_lock(&server->mutex);
    connection->counted = has_room(server, client);
    connection->client = *client;
    bool counted = connection->counted;
    pthread_mutex_unlock(&server->mutex);
    return counted;
}

/* NULL past a limit or without memory. */
static struct http_connection *admit(struct http_server *server, int fd,
                                     const struct sockaddr_storage *from)
{
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    connection->server = server;
    connection->fd = fd;
    connection->peer = connection->client = peer_of(from);
    connection->proxied = forwarded_trusts(&server->trust, &connection->peer);
    connection->counted = !connection->proxied;
    connection->phase = CONNECTION_NEW;
    connection->deadline_ms = clock_monotonic_ms() + server->options.read_deadline_ms;

    pthread_mutex_lock(&server->mutex);
    bool room = server->connection_count < server->options.connection_limit;
    room = room && (connection->proxied || has_room(server, &connection->client));
    if (room)
        link_connection(server, connection);
    pthread_mutex_unlock(&server->mutex);
    if (room)
        return connection;
    free(connection);
    return NULL;
}

/* False when there is nothing to accept (any more, or for want of descriptors). */
static bool accept_one(struct http_server *server, bool *exhausted)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    int fd =
        accept4(server->listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        *exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        return errno == EINTR || errno == ECONNABORTED;
    }
    struct http_connection *connection = admit(server, fd, &from);
    if (!connection) {
        http_gate_refuse(server, fd, NULL, 503, "there are too many connections; try again");
        close(fd);
        return true;
    }
    /* From here on the socket is libmicrohttpd's, which closes it even if this fails; it is
     * started or gone, perhaps closed and freed, by the time this returns. */
    if (MHD_add_connection(server->daemon, fd, (struct sockaddr *)&from, len) == MHD_NO)
        http_gate_closed(server, connection);
    return true;
}

/* --- deadlines --- */

static bool received(int fd, uint64_t *bytes)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ||
        len < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return false;
    *bytes = info.tcpi_bytes_received;
    return true;
}

/* An idle connection that has received something has begun its next request, though
 * libmicrohttpd tells of it only when the first line is complete. */
static void watch_idle(struct http_connection *connection, int64_t now, int read_deadline_ms)
{
    uint64_t bytes;
    if (!received(connection->fd, &bytes))
        return;
    if (connection->bytes_known && bytes != connection->bytes) {
        connection->phase = CONNECTION_READING;
        connection->deadline_ms = now + read_deadline_ms;
    }
    connection->bytes_known = true;
    connection->bytes = bytes;
}

static void sweep(struct http_server *server)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&server->mutex);
    struct http_connection *next;
    for (struct http_connection *c = server->connections; c; c = next) {
        next = c->next;
        if (c->started && c->phase == CONNECTION_IDLE)
            watch_idle(c, now, server->options.read_deadline_ms);
        if (now < c->deadline_ms || c->cut)
            continue;
        if (c->started) { /* the descriptor is its own until http_gate_closed */
            c->cut = true;
            shutdown(c->fd, SHUT_RDWR);
        } else { /* closed by libmicrohttpd without a word, or soon to be refused */
            unlink_connection(server, c);
            free(c);
        }
    }
    pthread_mutex_unlock(&server->mutex);
}

static int sweep_interval(const struct http_server_options *options)
{
    int shorter =
        options->read_deadline_ms < options->idle_ms ? options->read_deadline_ms : options->idle_ms;
    int interval = shorter / 8;
    return interval < SWEEP_MIN_MS   ? SWEEP_MIN_MS
           : interval > SWEEP_MAX_MS ? SWEEP_MAX_MS
                                     : interval;
}

/* Takes what still waits in the listening socket's queue, then closes it. */
static void close_listener(struct http_server *server)
{
    bool exhausted = false;
    for (unsigned i = 0; i < server->options.connection_limit; i++)
        if (!accept_one(server, &exhausted))
            break;
    pthread_mutex_lock(&server->mutex);
    close(server->listen_fd);
    server->listen_fd = -1;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

void *http_server_gate(void *context)
{
    struct http_server *server = context;
    int interval = sweep_interval(&server->options);
    int64_t next_sweep = clock_monotonic_ms() + interval;
    bool exhausted = false; /* no descriptors left: rest until the next sweep */
    for (;;) {
        pthread_mutex_lock(&server->mutex);
        bool draining = server->draining, ends = server->gate_ends;
        pthread_mutex_unlock(&server->mutex);
        if (draining && server->listen_fd >= 0)
            close_listener(server);
        if (ends)
            return NULL;
        int64_t wait = next_sweep - clock_monotonic_ms();
        struct pollfd fds[2] = {{.fd = server->wake_fd, .events = POLLIN},
                                {.fd = exhausted ? -1 : server->listen_fd, .events = POLLIN}};
        poll(fds, 2, wait > 0 ? (int)wait : 0);
        uint64_t woken;
        if (fds[0].revents && read(server->wake_fd, &woken, sizeof woken) < 0)
            log_debug("the HTTP server's gate was woken for nothing");
        if (fds[1].revents)
            for (int i = 0; i < ACCEPT_SERIES; i++)
                if (!accept_one(server, &exhausted))
                    break;
        if (clock_monotonic_ms() >= next_sweep) {
            sweep(server);
            next_sweep = clock_monotonic_ms() + interval;
            if (exhausted)
                log_warn("no more connections can be accepted for want of descriptors or memory");
            exhausted = false;
        }
    }
}
