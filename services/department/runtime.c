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
#include "services/department/department.h"
#include "services/department/handoff_requests.h"
#include "services/department/inbox.h"
#include "services/department/intake.h"
#include "services/department/intake_metrics.h"
#include "services/department/receiver.h"

#define ROUTES       (HEALTH_ROUTES + 4)
#define HTTP_THREADS 2

/* What handling a request may take for records and their headers, in bodies: a
 * body of nothing but the smallest events becomes some 15 times as large. */
#define SCRATCH_BODIES 32

/* Of the time that a service may take to end, what the last answers get; the
 * rest is for records that nobody waits for any more. Meanwhile deliveries under way come to their
 * end, are cut off later, and the inbox waits for their reports before it leaves its group. */
#define ANSWERS_SHARE(ms)  ((ms)*6 / 10)
#define DELIVERY_SHARE(ms) ((ms)*3 / 10)
#define REPORTS_SHARE(ms)  ((ms)*5 / 10)
#define THREADS_WAIT_MS    1000

/* The configuration that an intake reads, beside throughline.json. */
struct books {
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct sources *sources;
    const struct department *department;
    const char *listen;
};

struct department_service {
    struct books books;
    char topic[64];
    struct publisher *publisher;
    struct intake intake;
    struct health health;
    struct http_route routes[ROUTES];
    struct http_server *server;
    struct delivery_desk *desk; /* NULL: handoffs are not delivered */
    struct inbox *inbox;
};

/* --- config --- */

static void books_free(struct books *books)
{
    sources_free(books->sources);
    vocabulary_free(books->vocabulary);
    identity_kinds_free(books->kinds);
}

static int find_department(const struct config *config, struct books *books, struct fault *fault)
{
    const char *name = config_department(config);
    books->department = vocabulary_department(books->vocabulary, span_of(name));
    if (books->department)
        return 0;
    return fault_set(fault, "", "there is no %s/departments/%s.json", config_dir(config), name);
}

static int find_listen(const struct config *config, struct books *books, struct fault *fault)
{
    bool loopback;
    const char *set = config_text(config, "listen");
    books->listen = set ? set : books->department->listen;
    if (!books->listen)
        return fault_set(fault, "/listen",
                         "where to listen is not known: set TL_LISTEN, or \"listen\" in "
                         "throughline.json or departments/%s.json",
                         books->department->name);
    if (http_listen_is_loopback(books->listen, &loopback))
        return fault_set(fault, "/listen", "%s is no address: write it like 127.0.0.1:8101",
                         books->listen);
    if (loopback || config_text(config, "token"))
        return 0;
    return fault_set(fault, "/listen",
                     "%s can be reached from other machines, but there is no token: set TL_TOKEN, "
                     "or listen on 127.0.0.1",
                     books->listen);
}

/* A body that never has room, with its request's head, would be answered 503 for ever. */
static int check_limits(const struct config *config, struct fault *fault)
{
    int64_t least = config_number(config, "request_limit") + HTTP_HEAD_MEMORY;
    if (config_number(config, "http_memory") >= least)
        return 0;
    return fault_set(fault, "/http_memory", "must be at least %d KiB more than request_limit",
                     HTTP_HEAD_MEMORY / 1024);
}

static int books_load(const struct config *config, struct books *books, struct fault *fault)
{
    const char *dir = config_dir(config);
    int rc = identity_kinds_load(dir, &books->kinds, fault);
    if (!rc)
        rc = vocabulary_load(dir, &books->vocabulary, fault);
    if (!rc)
        rc = find_department(config, books, fault);
    if (!rc)
        rc = sources_load(dir, books->vocabulary, books->kinds, &books->sources, fault);
    if (!rc)
        rc = find_listen(config, books, fault);
    if (!rc)
        rc = check_limits(config, fault);
    return rc;
}

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
    struct books books = {0};
    int rc = books_load(config, &books, fault);
    if (!rc)
        rc = department_check_settings(config, fault);
    books_free(&books);
    return rc;
}

/* --- open --- */

static bool ready(void *context, char *why, size_t why_size)
{
    const struct department_service *service = context;
    return publisher_ready(service->publisher, why, why_size);
}

static void make_routes(struct department_service *service)
{
    struct http_route *routes = service->routes;
    service->health = (struct health){ready, service};
    health_routes(&service->health, routes);
    routes += HEALTH_ROUTES;
    *routes++ = (struct http_route){"POST", "/events", intake_events, &service->intake};
    *routes++ = (struct http_route){"OPTIONS", "/events", intake_handshake, &service->intake};
    *routes++ = (struct http_route){"POST", "/webhooks/*", webhook_receive, &service->intake};
    *routes++ = (struct http_route){"POST", HANDOFFS_PATH "*", handoff_request, &service->intake};
}

static int serve(struct department_service *service, const struct config *config)
{
    struct http_server_options http = {
        .listen = service->books.listen,
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
static void list_sources(const struct department_service *service, struct buffer *on,
                         struct buffer *off)
{
    const struct sources *sources = service->books.sources;
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = &sources->items[i];
        if (source->department != service->books.department)
            continue;
        struct buffer *list = source->off ? off : on;
        if (list->len > 0)
            buffer_append_text(list, source->off ? "; " : " ");
        buffer_append_text(list, source->name);
        if (source->off)
            buffer_printf(list, ": %s", source->off);
    }
}

static void log_start(const struct department_service *service, const struct config *config)
{
    struct buffer on, off;
    char receiver[HTTP_ORIGIN_SIZE] = "";
    const char *url = config_text(config, "deliver_url");
    if (url)
        http_client_origin(url, receiver);
    buffer_init(&on, 1024);
    buffer_init(&off, 2048);
    list_sources(service, &on, &off);
    log_info("serving", LOG_TEXT("listen", service->books.listen),
             LOG_INT("port", http_server_port(service->server)), LOG_TEXT("topic", service->topic),
             LOG_INT("event_types", service->books.department->type_count),
             LOG_TEXT("sources", on.data), LOG_TEXT("sources_off", off.data),
             LOG_TEXT("delivers_to", receiver));
    buffer_free(&on);
    buffer_free(&off);
}

/* Where nobody takes them, handoffs stay in Kafka, and open in the database. */
static int open_inbox(struct department_service *service, const struct config *config)
{
    const char *name = service->books.department->name;
    if (!receiver_is_set(config))
        return 0;
    int rc = delivery_open(config, name, publisher_producer(service->publisher), &service->desk);
    return rc ? rc : inbox_open(config, name, service->desk, &service->inbox);
}

static int open_parts(struct department_service *service, const struct config *config,
                      struct fault *fault)
{
    struct books *books = &service->books;
    int rc = books_load(config, books, fault);
    if (!rc)
        rc = department_check_settings(config, fault);
    if (rc)
        return rc;
    snprintf(service->topic, sizeof service->topic, "events.%s", books->department->name);
    rc = publisher_open(config, service->topic, &service->publisher);
    if (rc)
        return rc;
    intake_metrics_init();
    service->intake = (struct intake){
        .department = books->department,
        .vocabulary = books->vocabulary,
        .kinds = books->kinds,
        .sources = books->sources,
        .publisher = service->publisher,
        .token = config_text(config, "token"),
        .event_limit = (size_t)config_number(config, "event_limit"),
        .scratch_limit = (size_t)config_number(config, "request_limit") * SCRATCH_BODIES,
    };
    rc = open_inbox(service, config);
    return rc ? rc : serve(service, config);
}

int department_open(const struct config *config, struct department_service **out,
                    struct fault *fault)
{
    struct department_service *service = calloc(1, sizeof *service);
    if (!service)
        return ERR_MEMORY;
    int rc = open_parts(service, config, fault);
    if (rc) {
        department_close(service, 0);
        return rc;
    }
    log_start(service, config);
    *out = service;
    return 0;
}

int department_port(const struct department_service *service)
{
    return http_server_port(service->server);
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
    books_free(&service->books);
    free(service);
}

/* --- the program --- */

static int healthy(const struct config *config, struct fault *fault)
{
    struct books books = {0};
    int rc = vocabulary_load(config_dir(config), &books.vocabulary, fault);
    if (!rc)
        rc = find_department(config, &books, fault);
    if (!rc)
        rc = find_listen(config, &books, fault);
    if (!rc)
        rc = readiness_of_own(books.listen, http_server_has_tls(config), fault);
    books_free(&books);
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
        stop_wait(-1);
        log_info("ending: answering what is under way");
        department_close(service, STOP_DRAIN_MS);
    }
    config_free(config);
    if (rc)
        return rc == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
    return EXIT_OK;
}
