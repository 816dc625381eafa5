#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/program.h"
#include "common/base/stop.h"
#include "common/http/health.h"
#include "common/http/http_client.h"
#include "common/http/readiness.h"
#include "common/kafka/kafka_producer.h"
#include "common/reload.h"
#include "services/department/department.h"
#include "services/department/handoff_requests.h"
#include "services/department/inbox.h"
#include "services/department/intake.h"
#include "services/department/intake_metrics.h"
#include "services/department/receiver.h"
#include "services/department/settings.h"

#define DOORS        4
#define ROUTES       (HEALTH_ROUTES + DOORS)
#define HTTP_THREADS 2

/* Of the time that a service may take to end, what the last answers get; the
 * rest is for records that nobody waits for any more. Meanwhile deliveries under way come to their
 * end, are cut off later, and the inbox waits for their reports before it leaves its group. */
#define ANSWERS_SHARE(ms)  ((ms)*6 / 10)
#define DELIVERY_SHARE(ms) ((ms)*3 / 10)
#define REPORTS_SHARE(ms)  ((ms)*5 / 10)
#define THREADS_WAIT_MS    1000

/* What a route leads to, with the settings of the moment. */
struct door {
    struct department_service *service;
    http_handler *handler;
};

struct department_service {
    struct snapshot_place settings;
    char *listen; /* where it listens, and whether by TLS, whatever later settings say */
    bool tls;
    const char *department;
    char topic[64];
    struct publisher *publisher;
    struct door doors[DOORS];
    struct health health;
    struct http_route routes[ROUTES];
    struct http_server *server;
    struct delivery_desk *desk; /* NULL: handoffs are not delivered */
    struct inbox *inbox;
};

/* --- config --- */

int department_check_settings(const struct config *config, struct fault *fault)
{
    int rc = kafka_producer_check(config, fault);
    if (!rc)
        rc = http_server_check(config, fault);
    if (!rc)
        rc = receiver_check(config, fault);
    if (!rc && receiver_is_set(config))
        rc = inbox_check(config, fault);
    return rc;
}

int department_check(const struct config *config, struct fault *fault)
{
    struct settings *settings = NULL;
    int rc = settings_load(config, &settings, fault);
    if (!rc)
        rc = department_check_settings(config, fault);
    settings_release(settings);
    return rc;
}

/* --- open --- */

static bool ready(void *context, char *why, size_t why_size)
{
    const struct department_service *service = context;
    return publisher_ready(service->publisher, why, why_size);
}

/* A request keeps the settings that it began with; once its handler is through, it needs none. */
static void open_door(struct http_request *request, void *context)
{
    const struct door *door = context;
    struct settings *settings = settings_take(&door->service->settings);
    door->handler(request, &settings->intake);
    settings_release(settings);
}

static void make_routes(struct department_service *service)
{
    static const struct {
        const char *method, *path;
        http_handler *handler;
    } doors[DOORS] = {
        {"POST", "/events", intake_events},
        {"OPTIONS", "/events", intake_handshake},
        {"POST", "/webhooks/*", webhook_receive},
        {"POST", HANDOFFS_PATH "*", handoff_request},
    };
    service->health = (struct health){ready, service};
    health_routes(&service->health, service->routes);
    for (size_t i = 0; i < DOORS; i++) {
        service->doors[i] = (struct door){service, doors[i].handler};
        service->routes[HEALTH_ROUTES + i] =
            (struct http_route){doors[i].method, doors[i].path, open_door, &service->doors[i]};
    }
}

static int serve(struct department_service *service, const struct config *config)
{
    struct http_server_options http = {
        .listen = service->listen,
        .routes = service->routes,
        .route_count = ROUTES,
        .threads = HTTP_THREADS,
        .body_limit = (size_t)config_number(config, "request_limit"),
        .memory_limit = (size_t)config_number(config, "http_memory"),
        .connection_limit = (unsigned)config_number(config, "http_connections"),
        .connections_per_client = (unsigned)config_number(config, "http_connections_per_client"),
    };
    http_server_configure(&http, config);
    make_routes(service);
    return http_server_start(&http, &service->server);
}

/* Which sources are served, and which are off and why, as two texts. */
static void list_sources(const struct settings *settings, struct buffer *on, struct buffer *off)
{
    for (size_t i = 0; i < settings->sources->count; i++) {
        const struct source *source = &settings->sources->items[i];
        if (source->department != settings->intake.department)
            continue;
        struct buffer *list = source->off ? off : on;
        if (list->len > 0)
            buffer_append_text(list, source->off ? "; " : " ");
        buffer_append_text(list, source->name);
        if (source->off)
            buffer_printf(list, ": %s", source->off);
    }
}

static void log_settings(const struct department_service *service, const struct settings *settings,
                         const struct config *config, const char *message)
{
    struct buffer on, off;
    char receiver[HTTP_ORIGIN_SIZE] = "";
    const char *url = config_text(config, "deliver_url");
    if (url && service->desk)
        http_client_origin(url, receiver);
    buffer_init(&on, 1024);
    buffer_init(&off, 2048);
    list_sources(settings, &on, &off);
    log_write(LOG_LEVEL_INFO, message,
              LOG_FIELDS(LOG_TEXT("listen", service->listen),
                         LOG_INT("port", http_server_port(service->server)),
                         LOG_TEXT("topic", service->topic),
                         LOG_INT("event_types", settings->intake.department->type_count),
                         LOG_TEXT("sources", on.data), LOG_TEXT("sources_off", off.data),
                         LOG_TEXT("delivers_to", receiver)));
    buffer_free(&on);
    buffer_free(&off);
}

/* Where nobody takes them, handoffs stay in Kafka, and open in the database. */
static int open_inbox(struct department_service *service, const struct config *config)
{
    const char *name = service->department;
    if (!receiver_is_set(config))
        return 0;
    int rc = delivery_open(config, name, publisher_producer(service->publisher), &service->desk);
    return rc ? rc : inbox_open(config, name, service->desk, &service->inbox);
}

/* Takes the settings over. */
static int open_parts(struct department_service *service, const struct config *config,
                      struct settings *settings)
{
    snapshot_put(&service->settings, &settings->snapshot);
    service->department = config_department(config);
    service->tls = http_server_has_tls(config);
    service->listen = strdup(settings->listen);
    if (!service->listen)
        return ERR_MEMORY;
    snprintf(service->topic, sizeof service->topic, "events.%s", service->department);
    int rc = publisher_open(config, service->topic, &service->publisher);
    if (rc)
        return rc;
    settings->intake.publisher = service->publisher;
    intake_metrics_init();
    rc = open_inbox(service, config);
    if (!rc)
        rc = serve(service, config);
    if (!rc)
        log_settings(service, settings, config, "serving");
    return rc;
}

int department_open(const struct config *config, struct department_service **out,
                    struct fault *fault)
{
    struct department_service *service = calloc(1, sizeof *service);
    if (!service)
        return ERR_MEMORY;
    struct settings *settings = NULL;
    snapshot_place_init(&service->settings);
    int rc = settings_load(config, &settings, fault);
    if (!rc)
        rc = department_check_settings(config, fault);
    if (rc)
        settings_release(settings);
    else
        rc = open_parts(service, config, settings);
    if (rc) {
        department_close(service, 0);
        return rc;
    }
    *out = service;
    return 0;
}

int department_port(const struct department_service *service)
{
    return http_server_port(service->server);
}

/* --- another configuration --- */

/* Whether handoffs are delivered at all, and whether the listener speaks TLS, is settled at the
 * start. */
static int renew_parts(struct department_service *service, const struct config *config,
                       struct buffer *restart, struct fault *fault)
{
    struct delivery_renewal *renewal = NULL;
    int rc = 0;
    if (receiver_is_set(config) != (service->desk != NULL))
        reload_restart(restart, "deliver_url");
    else if (service->desk)
        rc = delivery_prepare(service->desk, config, &renewal);
    if (http_server_has_tls(config) != service->tls)
        reload_restart(restart, "tls_certificate");
    else if (!rc && service->tls)
        rc = http_server_renew(service->server, config, fault);
    if (!rc)
        delivery_renew(service->desk, renewal);
    else
        delivery_renewal_free(renewal);
    return rc;
}

int department_reload(void *context, const struct config *fresh, struct buffer *restart,
                      struct fault *fault)
{
    struct department_service *service = context;
    struct settings *settings = NULL, *running = settings_take(&service->settings);
    int rc = settings_load(fresh, &settings, fault);
    if (!rc)
        rc = settings_check_change(settings, running, fault);
    settings_release(running);
    if (!rc)
        rc = settings_check_listen(settings, service->listen, fault);
    if (!rc)
        rc = renew_parts(service, fresh, restart, fault);
    if (rc) {
        settings_release(settings);
        return rc;
    }
    if (strcmp(settings->listen, service->listen) != 0)
        reload_restart(restart, "listen");
    settings->intake.publisher = service->publisher;
    log_settings(service, settings, fresh, "serving by the new configuration");
    snapshot_put(&service->settings, &settings->snapshot);
    return 0;
}

/* --- drain and close --- */

void department_close(struct department_service *service, int ms)
{
    if (!service)
        return;
    int64_t deadline = clock_monotonic_ms() + ms;
    inbox_stop(service->inbox, REPORTS_SHARE(ms));
    if (service->desk)
        delivery_stop(service->desk, DELIVERY_SHARE(ms));
    http_server_stop(service->server, ANSWERS_SHARE(ms));
    inbox_close(service->inbox);
    bool ended = !service->desk || delivery_end(service->desk, THREADS_WAIT_MS);
    int64_t left = deadline - clock_monotonic_ms();
    publisher_close(service->publisher, left > 0 ? (int)left : 0);
    if (ended)
        delivery_free(service->desk);
    snapshot_put(&service->settings, NULL);
    free(service->listen);
    free(service);
}

/* --- the program --- */

static int healthy(const struct config *config, struct fault *fault)
{
    char *listen = NULL;
    int rc = settings_find_listen(config, &listen, fault);
    if (!rc)
        rc = readiness_of_own(listen, http_server_has_tls(config), fault);
    free(listen);
    return rc;
}

static int start(const char *name, int argc, char **argv, struct config **config)
{
    static char program_name[64] = "tl-department"; /* the log keeps it */
    if (name)
        snprintf(program_name, sizeof program_name, "tl-%s", name);
    const struct program program = {
        .name = program_name,
        .purpose = "a department: events and webhooks over HTTP into Kafka, handoffs to its system",
        .kind = PROGRAM_DEPARTMENT,
        .takes_department = !name,
        .check = department_check,
        .healthy = healthy,
    };
    return program_start(&program, argc, argv, config);
}

static int open_or_tell(const struct config *config, struct department_service **service)
{
    struct fault fault = {0};
    int rc = department_open(config, service, &fault);
    if (rc == ERR_INVALID)
        log_error("the configuration is wrong", LOG_TEXT("file", fault.file),
                  LOG_TEXT("pointer", fault.pointer), LOG_TEXT("detail", fault.detail));
    return rc;
}

int department_main(const char *name, int argc, char **argv)
{
    struct config *config = NULL;
    struct department_service *service = NULL;
    int status = start(name, argc, argv, &config);
    if (status >= 0)
        return status;
    int rc = open_or_tell(config, &service);
    if (!rc) {
        const struct reload reload = {config, department_check, department_reload, service};
        reload_until_stop(&reload);
        log_info("ending: answering what is under way");
        department_close(service, STOP_DRAIN_MS);
    }
    config_free(config);
    if (rc)
        return rc == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
    return EXIT_OK;
}
