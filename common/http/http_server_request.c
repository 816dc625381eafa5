/*
 * The way in. libmicrohttpd calls on_line when it has read a request line, on_data
 * once for the head, for each piece of the body, once when all is there and
 * again after a suspension, and on_completed at the end, all on the
 * connection's own thread.
 */
#include "common/http/http_server_request.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/http_server_internal.h"
#include "common/http/problem.h"

#define FIRST_BODY_BYTES (4 * 1024)

static struct http_connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

struct http_tls *http_tls_of(struct MHD_Connection *mhd)
{
    struct http_connection *connection = connection_of(mhd);
    return connection ? connection->server->tls : NULL;
}

static int socket_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

void http_request_on_connection(void *context, struct MHD_Connection *mhd, void **connection,
                                enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *connection = http_gate_started(server, socket_of(mhd));
    } else if (*connection) {
        http_gate_closed(server, *connection);
        *connection = NULL;
    }
}

void *http_request_on_line(void *context, const char *target, struct MHD_Connection *mhd)
{
    struct http_server *server = context;
    struct http_connection *connection = connection_of(mhd);
    struct http_request *request =
        connection ? http_request_new(server, mhd, connection, target) : NULL;
    if (!request)
        return NULL; /* on_data then closes the connection */
    pthread_mutex_lock(&server->mutex);
    server->references++;
    server->under_way++;
    connection->request = request;
    if (connection->phase == CONNECTION_IDLE) {
        connection->phase = CONNECTION_READING;
        connection->deadline_ms = clock_monotonic_ms() + server->options.read_deadline_ms;
    }
    pthread_mutex_unlock(&server->mutex);
    return request;
}

void http_request_on_completed(void *context, struct MHD_Connection *mhd, void **request,
                               enum MHD_RequestTerminationCode why)
{
    (void)context, (void)mhd, (void)why;
    if (*request)
        http_request_complete(*request);
    *request = NULL;
}

/* --- the head --- */

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    size_t name_len, const char *value, size_t value_len)
{
    (void)kind, (void)name, (void)name_len, (void)value, (void)value_len;
    size_t *count = context;
    return ++*count <= REQUEST_HEADERS_LIMIT ? MHD_YES : MHD_NO;
}

static enum MHD_Result copy_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    struct http_request *request = context;
    struct record_header header = {
        arena_copy(&request->arena, (struct span){name, name_len}),
        arena_copy(&request->arena, (struct span){value ? value : "", value ? value_len : 0}),
    };
    if (!header.name.ptr || !header.value.ptr)
        return MHD_NO;
    while (header.value.len && strchr(" \t", header.value.ptr[header.value.len - 1]))
        header.value.len--; /* optional white space is no part of the value */
    request->headers[request->header_count++] = header;
    return MHD_YES;
}

/* Our own copy: libmicrohttpd's goes with the connection, a late handler may outlive that. */
static bool copy_head(struct http_request *request, const char *method)
{
    size_t count = 0;
    MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, count_header, &count);
    request->method = arena_copy(&request->arena, span_of(method));
    request->headers = arena_alloc(&request->arena, (count + 1) * sizeof *request->headers);
    if (!request->method.ptr || !request->headers)
        return false;
    if (count <= REQUEST_HEADERS_LIMIT)
        MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, copy_header, request);
    else
        request->header_count = count; /* request_check refuses it before it looks at one */
    return request->header_count == count;
}

static bool serves(const struct http_route *route, struct span method)
{
    return span_is(method, route->method) ||
           (span_is(method, "HEAD") && strcmp(route->method, "GET") == 0);
}

/* 0, or 404 or 405. */
static int find_route(struct http_request *request)
{
    const struct http_server_options *options = &request->server->options;
    int refusal = 404;
    for (size_t i = 0; i < options->route_count; i++) {
        const struct http_route *route = &options->routes[i];
        if (!request_path_matches(request->path, route->path))
            continue;
        if (serves(route, request->method)) {
            request->route = route;
            return 0;
        }
        refusal = 405;
    }
    return refusal;
}

static void append_method(char *allow, size_t size, const char *method)
{
    size_t len = strlen(allow);
    if (!strstr(allow, method)) /* no method is part of another's name */
        snprintf(allow + len, size - len, "%s%s", len ? ", " : "", method);
}

static void respond_405(struct http_request *request)
{
    const struct http_server_options *options = &request->server->options;
    char allow[128] = "";
    for (size_t i = 0; i < options->route_count; i++) {
        if (!request_path_matches(request->path, options->routes[i].path))
            continue;
        append_method(allow, sizeof allow, options->routes[i].method);
        if (strcmp(options->routes[i].method, "GET") == 0)
            append_method(allow, sizeof allow, "HEAD");
    }
    http_respond_problem_with(request, 405, "this path does not know that method", NULL, 0,
                              (struct http_header[]){{"Allow", allow}, {NULL, NULL}});
}

static void respond_refusal(struct http_request *request)
{
    http_metrics_refused(request->refusal);
    if (request->refusal == 405)
        respond_405(request);
    else
        http_respond_problem(request, 404, "there is nothing at this path", NULL, 0);
}

/* Before the body: the answer, and the end of the connection. */
static enum MHD_Result refuse(struct http_request *request, int status, const char *detail)
{
    http_metrics_refused(status);
    http_respond_problem(request, status, detail, NULL, 0);
    return http_request_send(request, true) ? MHD_YES : MHD_NO;
}

static bool memory_left(struct http_server *server, size_t more)
{
    pthread_mutex_lock(&server->mutex);
    bool left = more <= server->options.memory_limit - server->memory_used;
    pthread_mutex_unlock(&server->mutex);
    return left;
}

/* Given back with the request, or when it is answered. */
static bool reserve(struct http_request *request, size_t more)
{
    struct http_server *server = request->server;
    pthread_mutex_lock(&server->mutex);
    bool left = more <= server->options.memory_limit - server->memory_used;
    if (left) {
        server->memory_used += more;
        request->reserved += more;
    }
    pthread_mutex_unlock(&server->mutex);
    return left;
}

/* False: that client has enough of them under way. */
static bool take_client(struct http_request *request)
{
    struct http_server *server = request->server;
    struct forwarded_client client;
    char text[INET6_ADDRSTRLEN] = "", path[128];
    forwarded_resolve(&server->trust, &request->connection->peer, server->tls, request->headers,
                      request->header_count, &client);
    bool v4 = IN6_IS_ADDR_V4MAPPED(&client.address);
    inet_ntop(v4 ? AF_INET : AF_INET6, client.address.s6_addr + (v4 ? 12 : 0), text, sizeof text);
    snprintf(path, sizeof path, "%.*s", SPAN_ARGS(request->path));
    log_debug("A request comes in", LOG_TEXT("client", text),
              LOG_TEXT("scheme", client.https ? "https" : "http"), LOG_TEXT("path", path));
    return http_gate_client(request->connection, &client.address);
}

static const char too_large[] = "the body is larger than this server takes";
static const char not_plain[] =
    "the head must be lines that end in CRLF, none of them folded, with no NUL "
    "and single spaces between method, target and version";
static const char no_memory[] = "too many requests are being worked on; try again";

/* 0, the status to refuse with, or a negative code: nothing can be told. */
static int read_head(struct http_request *request, const char *method, const char *version,
                     struct request_shape *shape, const char **detail)
{
    int rc =
        http_head_check(request->mhd, method, request->sent_target, request->target.len, version);
    *detail = not_plain;
    if (rc)
        return rc == ERR_INVALID ? 400 : rc;
    if (!copy_head(request, method))
        return ERR_MEMORY;
    *detail = no_memory;
    if (!reserve(request, request->arena.reserved))
        return 503;
    struct request_head head = {request->method, request->target, span_of(version),
                                request->headers, request->header_count};
    int status = request_check(&head, shape, detail);
    if (status)
        return status;
    rc = request_path(&request->arena, request->target, &request->path);
    *detail = rc == ERR_INVALID ? "the path's percent-encoding is broken" : no_memory;
    return rc == ERR_INVALID ? 400 : rc ? 503 : 0;
}

static enum MHD_Result begin(struct http_request *request, const char *method, const char *version)
{
    struct http_server *server = request->server;
    struct request_shape shape;
    const char *detail;
    request->begun = true;
    request->read_ms = clock_monotonic_ms();
    int status = read_head(request, method, version, &shape, &detail);
    if (status < 0)
        return MHD_NO;
    if (status)
        return refuse(request, status, detail);
    if (!take_client(request))
        return refuse(request, 503, "too many requests of this client are under way; try again");
    if (shape.content_length > 0 && (uint64_t)shape.content_length > server->options.body_limit)
        return refuse(request, 413, too_large);
    request->refusal = find_route(request);
    if (request->refusal && shape.expects_continue) { /* it need not send the body at all */
        respond_refusal(request);
        return http_request_send(request, true) ? MHD_YES : MHD_NO;
    }
    if (shape.content_length > 0)
        request->body_declared = (size_t)shape.content_length;
    if (!request->refusal && !memory_left(server, request->body_declared))
        return refuse(request, 503, no_memory);
    return MHD_YES;
}

/* --- the body --- */

/* Makes room for `more` bytes, within the server's bound for all bodies. */
static bool grow_body(struct http_request *request, size_t more)
{
    struct http_server *server = request->server;
    size_t need = request->body_len + more;
    if (need <= request->body_capacity)
        return true;
    size_t capacity = request->body_capacity * 2;
    if (capacity < FIRST_BODY_BYTES)
        capacity = FIRST_BODY_BYTES;
    size_t most = request->body_declared ? request->body_declared : server->options.body_limit;
    if (capacity > most)
        capacity = most;
    if (capacity < need)
        capacity = need;
    if (!reserve(request, capacity - request->body_capacity))
        return false;
    char *body = realloc(request->body, capacity);
    if (!body)
        return false;
    request->body = body;
    request->body_capacity = capacity;
    return true;
}

/* In the middle of a body libmicrohttpd takes no answer, so that it goes to the socket directly:
 * every earlier answer has been sent in full by now. The connection ends with it. */
static enum MHD_Result refuse_body(struct http_request *request, int status, const char *detail)
{
    http_gate_refuse(request->server, request->connection->fd, request->mhd, status, detail);
    return MHD_NO;
}

static enum MHD_Result take_body(struct http_request *request, const char *data, size_t *size)
{
    request->body_seen += *size;
    request->read_ms = clock_monotonic_ms();
    if (request->body_seen > request->server->options.body_limit)
        return refuse_body(request, 413, too_large);
    if (!request->refusal) {
        if (!grow_body(request, *size))
            return refuse_body(request, 503, no_memory);
        memcpy(request->body + request->body_len, data, *size);
        request->body_len += *size;
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result finish(struct http_request *request)
{
    struct http_server *server = request->server;
    pthread_mutex_lock(&server->mutex);
    request->handed = true;
    request->connection->phase = CONNECTION_HANDLED;
    request->connection->deadline_ms = INT64_MAX;
    pthread_mutex_unlock(&server->mutex);
    if (request->refusal)
        respond_refusal(request);
    else
        request->route->handler(request, request->route->context);
    return http_request_settle(request) ? MHD_YES : MHD_NO;
}

enum MHD_Result http_request_on_data(void *context, struct MHD_Connection *mhd, const char *path,
                                     const char *method, const char *version, const char *data,
                                     size_t *size, void **slot)
{
    (void)context, (void)mhd, (void)path;
    struct http_request *request = *slot;
    if (!request)
        return MHD_NO;
    if (!request->begun)
        return begin(request, method, version);
    if (*size > 0)
        return take_body(request, data, size);
    if (!request->handed)
        return finish(request);
    return http_request_settle(request) ? MHD_YES : MHD_NO;
}

/* --- what handlers ask --- */

struct span http_request_method(const struct http_request *request)
{
    return request->method;
}

struct span http_request_path(const struct http_request *request)
{
    return request->path;
}

struct span http_request_target(const struct http_request *request)
{
    return request->target;
}

int64_t http_request_read_ms(const struct http_request *request)
{
    return request->read_ms;
}

struct span http_request_body(const struct http_request *request)
{
    return (struct span){request->body ? request->body : "", request->body_len};
}

struct span http_request_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (span_is_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return (struct span){NULL, 0};
}

size_t http_request_headers(const struct http_request *request,
                            const struct record_header **headers)
{
    *headers = request->headers;
    return request->header_count;
}

struct arena *http_request_arena(struct http_request *request)
{
    return &request->arena;
}
