#include "common/http/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/sync.h"
#include "common/http/http_server_internal.h"
#include "common/http/http_server_request.h"

/* Of a connection, for the head of a request and for reading its body: what
 * bounds the head (longer: 431 or 414) and what an idle connection costs. */
#define CONNECTION_BYTES (size_t)(16 * 1024)

#define DEFAULT_THREADS 2

/* 1.0 then refuses folded headers and bare line feeds. 0.9 would only close without a word where we
 * answer 400, and see to folded headers ourselves. */
#if MHD_VERSION >= 0x01000000
#define PEDANTIC MHD_USE_PEDANTIC_CHECKS
#else
#define PEDANTIC 0
#endif

static void wake_gate(struct http_server *server)
{
    uint64_t one = 1;
    if (write(server->wake_fd, &one, sizeof one) < 0)
        log_error("cannot wake the HTTP server", LOG_TEXT("error", strerror(errno)));
}

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    const struct http_server_options *options = &server->options;
    const unsigned flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD |
                           MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET |
                           PEDANTIC | (server->tls ? MHD_USE_TLS : 0);
    static char priorities[] = HTTP_TLS_PRIORITIES;
    /* The gate keeps the limit; this one only has to be out of reach of each thread,
     * even if it gets all connections (0.9.75 does not survive reaching it). */
    unsigned out_of_reach = (options->connection_limit + 64) * options->threads;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)out_of_reach, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    size_t next = 1;
    if (options->threads > 1) /* a pool of one is a warning */
        items[next++] =
            (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL};
    if (server->tls) {
        items[next++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, priorities};
        items[next++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, http_tls_callback()};
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, http_request_on_data, server,
                            MHD_OPTION_NOTIFY_CONNECTION, http_request_on_connection, server,
                            MHD_OPTION_NOTIFY_COMPLETED, http_request_on_completed, server,
                            MHD_OPTION_URI_LOG_CALLBACK, http_request_on_line, server,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_ARRAY,
                            items, MHD_OPTION_END);
}

/* Cleans up what http_server_start has made so far. */
static int give_up(struct http_server *server, int rc)
{
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    if (server->wake_fd >= 0)
        close(server->wake_fd);
    http_tls_close(server->tls);
    http_server_release(server);
    return rc;
}

static int failed(const char *what, int error)
{
    log_error("cannot start the HTTP server", LOG_TEXT("part", what),
              LOG_TEXT("error", strerror(error)));
    return ERR_IO;
}

int http_server_start(const struct http_server_options *options, struct http_server **out)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return ERR_MEMORY;
    if (sync_init(&server->mutex, &server->changed)) {
        free(server);
        return ERR_MEMORY;
    }
    server->options = *options;
    if (server->options.threads == 0)
        server->options.threads = DEFAULT_THREADS;
    server->references = 1;
    server->listen_fd = server->wake_fd = -1;
    http_metrics_init();

    int rc = http_settings_open(server);
    if (rc)
        return give_up(server, rc);
    rc = http_address_listen(options->listen, &server->listen_fd, &server->port);
    if (rc)
        return give_up(server, rc);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake_fd < 0)
        return give_up(server, failed("eventfd", errno));
    server->daemon = start_daemon(server);
    if (!server->daemon)
        return give_up(server, failed("libmicrohttpd", errno));
    rc = pthread_create(&server->gate, NULL, http_server_gate, server);
    if (rc)
        return give_up(server, failed("thread", rc));
    *out = server;
    return 0;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

/* Until nothing is under way and no connection waits to be accepted. */
static void wait_until_drained(struct http_server *server, int ms)
{
    struct timespec deadline = clock_monotonic_after(ms);
    pthread_mutex_lock(&server->mutex);
    while (server->under_way > 0 || server->listen_fd >= 0)
        if (pthread_cond_timedwait(&server->changed, &server->mutex, &deadline) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&server->mutex);
}

void http_server_stop(struct http_server *server, int ms)
{
    if (!server)
        return;
    pthread_mutex_lock(&server->mutex);
    server->draining = true;
    pthread_mutex_unlock(&server->mutex);
    wake_gate(server);
    wait_until_drained(server, ms);

    size_t late = http_server_cut_waiting(server);
    if (late)
        log_warn("requests were cut off unanswered", LOG_INT("requests", late));
    pthread_mutex_lock(&server->mutex);
    server->gate_ends = true;
    pthread_mutex_unlock(&server->mutex);
    wake_gate(server);
    pthread_join(server->gate, NULL);
    MHD_stop_daemon(server->daemon);
    http_gate_forget(server);
    close(server->wake_fd);
    http_tls_close(server->tls);
    http_server_release(server);
}
