/* A server whose handler keeps its requests, and test code that answers them when it likes. */
#ifndef TESTS_UNIT_HTTP_HELD_H
#define TESTS_UNIT_HTTP_HELD_H

#include <pthread.h>

#include "common/http/http_server.h"
#include "tests/unit/http_kit.h"

/* Requests whose handler has returned without an answer; other threads take them from here. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct http_request *requests[64];
    size_t count;
    bool ends;
} held = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline void hold(struct http_request *request, void *context)
{
    (void)context;
    pthread_mutex_lock(&held.mutex);
    held.requests[held.count++] = request;
    pthread_cond_broadcast(&held.changed);
    pthread_mutex_unlock(&held.mutex);
}

/* Waits for one; NULL once `ends` is set and none is left. */
static inline struct http_request *take_held(void)
{
    pthread_mutex_lock(&held.mutex);
    while (held.count == 0 && !held.ends)
        pthread_cond_wait(&held.changed, &held.mutex);
    struct http_request *request = held.count ? held.requests[--held.count] : NULL;
    pthread_mutex_unlock(&held.mutex);
    return request;
}

static inline void echo(struct http_request *request)
{
    http_respond(request, 202, "text/plain", http_request_body(request), NULL);
}

static inline void *answer_held(void *unused)
{
    struct http_request *request;
    while ((request = take_held()))
        echo(request);
    return unused;
}

static inline void wait_for_held(size_t count)
{
    pthread_mutex_lock(&held.mutex);
    while (held.count < count)
        pthread_cond_wait(&held.changed, &held.mutex);
    pthread_mutex_unlock(&held.mutex);
}

static inline void answer_ok(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, "text/plain", span_of("ok"), NULL);
}

#define GET_OK "GET /ok HTTP/1.1\r\nHost: tl\r\n\r\n"

/* Bounds that are out of the way. */
static inline struct http_server_options usual_options(const struct http_route *routes,
                                                       size_t route_count)
{
    return (struct http_server_options){.listen = "127.0.0.1:0",
                                        .routes = routes,
                                        .route_count = route_count,
                                        .body_limit = 64 * 1024,
                                        .memory_limit = 1024 * 1024,
                                        .connection_limit = 100,
                                        .read_deadline_ms = 5000,
                                        .idle_ms = 5000};
}

static inline struct http_server *start_server(struct http_server_options options)
{
    struct http_server *server;
    assert_int_equal(http_server_start(&options, &server), 0);
    held.count = 0;
    held.ends = false;
    return server;
}

static inline void post(int fd, const char *path, const char *body)
{
    char text[512];
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: tl\r\nContent-Length: %zu\r\n\r\n%s",
             path, strlen(body), body);
    kit_send_text(fd, text);
}

#endif
