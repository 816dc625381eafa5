/*
 * The way back. A handler may answer while it runs, on the server's thread; or
 * later from any other; or from another thread while the handler is still
 * running. The connection is suspended only if there is no answer when the
 * handler returns, and must then be resumed exactly once. Every step below is
 * taken under the server's mutex, so that they come one after the other:
 *
 *   respond  OPEN    → GIVEN                  settle will find the answer; nothing is suspended
 *            AWAITED → GIVEN, and resume      the one place that resumes in normal life
 *            CUT     → GIVEN                  too late; nobody listens
 *   settle   OPEN    → suspend, then AWAITED  (or CUT, if the server is stopping)
 *            GIVEN   → send                   answered before the suspension: none happens
 *            CUT     → close
 *   stop     AWAITED → CUT, and resume        for those that are late
 *
 * settle is called when the handler returns, and again on the same thread when
 * the connection was resumed. An answer that comes first is not lost, since
 * settle looks before it suspends; one that comes second finds AWAITED, hence a
 * connection that is suspended already, since suspending and AWAITED are one
 * step; only the step out of AWAITED resumes, so no connection is resumed
 * twice. A suspended connection is not freed by libmicrohttpd, so that request->mhd
 * is alive in that step.
 *
 * After `cutting` is set there is no AWAITED any more. Whoever resumes does so
 * under the mutex, so once http_server_cut_waiting has had it, no thread is
 * inside MHD_resume_connection: the daemon may be stopped and freed. An answer
 * that comes later still finds its request and the server (it holds a
 * reference), but no daemon, and touches none.
 *
 * A request is freed by the last of two: libmicrohttpd, when it has completed
 * it, and the handler, when it has answered.
 */
#include <microhttpd.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/http_server_internal.h"

/* A handler may need some multiple of the body for what it makes of it. */
#define ARENA_BODIES 4
#define ARENA_SPARE  (256 * 1024)

struct http_request *http_request_new(struct http_server *server, struct MHD_Connection *mhd,
                                      struct http_connection *connection, const char *target)
{
    struct http_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->server = server;
    request->mhd = mhd;
    request->connection = connection;
    arena_init(&request->arena, server->options.body_limit * ARENA_BODIES + ARENA_SPARE);
    request->sent_target = target;
    request->target = arena_copy(&request->arena, span_of(target ? target : ""));
    if (!request->target.ptr) {
        arena_free(&request->arena);
        free(request);
        return NULL;
    }
    return request;
}

void http_server_release(struct http_server *server)
{
    pthread_mutex_lock(&server->mutex);
    bool last = --server->references == 0;
    pthread_mutex_unlock(&server->mutex);
    if (!last)
        return;
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

static void free_input(struct http_request *request)
{
    arena_free(&request->arena);
    free(request->body);
    request->body = NULL;
}

static void free_request(struct http_request *request)
{
    struct http_server *server = request->server;
    free_input(request);
    if (request->response)
        MHD_destroy_response(request->response);
    free(request);
    http_server_release(server);
}

void http_request_complete(struct http_request *request)
{
    struct http_server *server = request->server;
    struct http_connection *connection = request->connection;
    pthread_mutex_lock(&server->mutex);
    connection->request = NULL;
    connection->phase = CONNECTION_IDLE;
    connection->deadline_ms = clock_monotonic_ms() + server->options.idle_ms;
    connection->bytes_known = false;
    if (connection->proxied)
        connection->counted = false;
    request->completed = true;
    bool last = !request->handed || request->state == ANSWER_GIVEN;
    server->memory_used -= request->reserved;
    request->reserved = 0;
    if (--server->under_way == 0)
        pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->mutex);
    if (last)
        free_request(request);
}

bool http_request_send(struct http_request *request, bool close)
{
    struct http_server *server = request->server;
    pthread_mutex_lock(&server->mutex);
    struct MHD_Response *response = request->response;
    int status = request->status;
    request->response = NULL;
    close = close || server->draining;
    request->connection->phase = CONNECTION_WRITING;
    request->connection->deadline_ms = clock_monotonic_ms() + server->options.read_deadline_ms;
    pthread_mutex_unlock(&server->mutex);
    if (!response) /* there was no memory for one */
        return false;
    bool ok = !close || MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    ok = ok && MHD_queue_response(request->mhd, (unsigned)status, response) == MHD_YES;
    MHD_destroy_response(response);
    return ok;
}

bool http_request_settle(struct http_request *request)
{
    struct http_server *server = request->server;
    pthread_mutex_lock(&server->mutex);
    if (request->state == ANSWER_OPEN && server->cutting)
        request->state = ANSWER_CUT;
    if (request->state == ANSWER_OPEN) {
        MHD_suspend_connection(request->mhd);
        request->state = ANSWER_AWAITED;
    }
    enum answer_state state = request->state;
    pthread_mutex_unlock(&server->mutex);
    if (state == ANSWER_GIVEN)
        return http_request_send(request, false);
    return state == ANSWER_AWAITED;
}

size_t http_server_cut_waiting(struct http_server *server)
{
    size_t late = 0;
    pthread_mutex_lock(&server->mutex);
    server->cutting = true;
    for (struct http_connection *c = server->connections; c; c = c->next) {
        if (!c->request || c->request->state != ANSWER_AWAITED)
            continue;
        c->request->state = ANSWER_CUT;
        MHD_resume_connection(c->request->mhd);
        late++;
    }
    pthread_mutex_unlock(&server->mutex);
    return late;
}

static struct MHD_Response *make_response(const char *content_type, struct span body,
                                          const struct http_header *headers)
{
    char *copy = malloc(body.len ? body.len : 1);
    if (!copy)
        return NULL;
    if (body.len)
        memcpy(copy, body.ptr, body.len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, copy, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(copy);
        return NULL;
    }
    bool ok =
        !content_type || MHD_add_response_header(response, "Content-Type", content_type) == MHD_YES;
    for (; ok && headers && headers->name; headers++)
        ok = MHD_add_response_header(response, headers->name, headers->value) == MHD_YES;
    if (ok)
        return response;
    log_error("an answer's headers were refused", LOG_TEXT("content_type", content_type));
    MHD_destroy_response(response);
    return NULL;
}

void http_respond(struct http_request *request, int status, const char *content_type,
                  struct span body, const struct http_header *headers)
{
    struct http_server *server = request->server;
    struct MHD_Response *response = make_response(content_type, body, headers);
    free_input(request); /* before it is counted as free */

    pthread_mutex_lock(&server->mutex);
    server->memory_used -= request->reserved;
    request->reserved = 0;
    request->response = response;
    request->status = status;
    bool resume = request->state == ANSWER_AWAITED;
    request->state = ANSWER_GIVEN;
    if (resume)
        MHD_resume_connection(request->mhd);
    bool last = request->completed;
    pthread_mutex_unlock(&server->mutex);
    if (last)
        free_request(request);
}
