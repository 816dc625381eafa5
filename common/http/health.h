/*
 * What every service tells about itself: GET /healthz (200 while it serves),
 * GET /readyz (200 when what it needs is there, else 503 with what is missing),
 * GET /metrics (Prometheus' text format).
 */
#ifndef COMMON_HTTP_HEALTH_H
#define COMMON_HTTP_HEALTH_H

#include "common/http/http_server.h"

struct health {
    /* Called on server threads; must not wait. `why` is only read when false. */
    bool (*ready)(void *context, char *why, size_t why_size);
    void *context;
};

#define HEALTH_ROUTES 3

/* Fills in the routes. `health` must outlive the server. */
void health_routes(struct health *health, struct http_route routes[HEALTH_ROUTES]);

#endif
