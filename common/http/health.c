#include "common/http/health.h"

#include "common/base/program.h"
#include "common/http/problem.h"
#include "common/metrics.h"
#include "common/process_metrics.h"

#define METRICS_LIMIT (1024 * 1024)
#define WHY_SIZE      256

static void alive(struct http_request *request, void *context)
{
    (void)context;
    http_respond(request, 200, "application/json", span_of("{\"status\":\"alive\"}"), NULL);
}

static void ready(struct http_request *request, void *context)
{
    const struct health *health = context;
    char why[WHY_SIZE] = "";
    if (health->ready(health->context, why, sizeof why))
        http_respond(request, 200, "application/json", span_of("{\"status\":\"ready\"}"), NULL);
    else
        http_respond_problem(request, 503, why, NULL, 0);
}

static struct metric *ready_gauge(void)
{
    return metric_gauge("throughline_ready", NULL, "1 where GET /readyz answers 200, else 0");
}

static void metrics(struct http_request *request, void *context)
{
    const struct health *health = context;
    struct buffer text;
    char why[WHY_SIZE] = "";
    metric_set(ready_gauge(), health->ready(health->context, why, sizeof why));
    process_metrics_look();
    buffer_init(&text, METRICS_LIMIT);
    metrics_render(&text);
    if (text.failed)
        http_respond_problem(request, 503, "no memory for the metrics", NULL, 0);
    else
        http_respond(request, 200, "text/plain; version=0.0.4; charset=utf-8", buffer_span(&text),
                     NULL);
    buffer_free(&text);
}

void health_routes(struct health *health, struct http_route routes[HEALTH_ROUTES])
{
    metric_set(metric_gauge("throughline_build_info", "version=\"" THROUGHLINE_VERSION "\"",
                            "Always 1; the label tells the version"),
               1);
    metric_set(ready_gauge(), 0);
    process_metrics_init();
    routes[0] = (struct http_route){"GET", "/healthz", alive, health};
    routes[1] = (struct http_route){"GET", "/readyz", ready, health};
    routes[2] = (struct http_route){"GET", "/metrics", metrics, health};
}
