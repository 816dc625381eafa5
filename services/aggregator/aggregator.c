#include "services/aggregator/aggregator.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/program.h"
#include "common/base/stop.h"
#include "common/event/system_events.h"
#include "common/http/health.h"
#include "common/http/readiness.h"
#include "common/kafka/kafka_consumer.h"
#include "common/pg/pg.h"
#include "common/reload.h"
#include "services/aggregator/database.h"
#include "services/aggregator/duty.h"
#include "services/aggregator/handoff_metrics.h"
#include "services/aggregator/relay.h"
#include "services/aggregator/rulebook.h"
#include "services/aggregator/stage_metrics.h"
#include "services/aggregator/watch.h"
#include "services/aggregator/writer.h"

#define LISTEN         "127.0.0.1:8110"
#define MMAP_THRESHOLD (128 * 1024)
#define FOLLOW_MS      5000 /* for writers to go over to another configuration */
#define LOOK_MS        10
#define BODY_LIMIT     ((size_t)1024) /* nobody posts anything here */

struct aggregator {
    struct config *config;
    struct snapshot_place rulebooks;
    bool tls; /* the listener has it, whatever later settings say */
    struct writer_setup setup;
    struct writer *writers[WRITERS_LIMIT];
    int writer_count;
    struct relay *relay;
    struct watch *watch;
    struct health health;
    struct http_route routes[HEALTH_ROUTES];
    struct http_server *server;
};

static int check_settings(const struct config *config, struct fault *fault)
{
    int rc = http_server_check(config, fault);
    if (rc == 0)
        rc = kafka_consumer_check(config, fault);
    if (rc == 0 && (rc = pg_check_conninfo(config_text(config, "database"), fault)) != 0)
        fault_prefix(fault, "/database");
    return rc;
}

static int check(const struct config *config, struct fault *fault)
{
    struct rulebook *rulebook = NULL;
    int rc = rulebook_load(config, &rulebook, fault);
    if (rc == 0)
        rc = check_settings(config, fault);
    rulebook_release(rulebook);
    return rc;
}

static int healthy(const struct config *config, struct fault *fault)
{
    const char *listen = config_text(config, "listen");
    return readiness_of_own(listen ? listen : LISTEN, http_server_has_tls(config), fault);
}

/* Ready: every writer reads, or waits only for its share of the partitions. */
static bool ready(void *context, char *why, size_t why_size)
{
    const struct aggregator *aggregator = context;
    for (int i = 0; i < aggregator->writer_count; i++) {
        const char *waits_for = writer_waits_for(aggregator->writers[i]);
        if (!waits_for)
            continue;
        snprintf(why, why_size, "writer %d waits for %s", i, waits_for);
        return false;
    }
    return true;
}

static int start_writers(struct aggregator *aggregator)
{
    int64_t count = config_number(aggregator->config, "writers");
    aggregator->setup =
        (struct writer_setup){aggregator->config, &aggregator->rulebooks, aggregator->relay};
    for (int i = 0; i < count; i++) {
        int rc = writer_start(&aggregator->setup, i, &aggregator->writers[i]);
        if (rc != 0)
            return rc;
        aggregator->writer_count = i + 1;
    }
    return 0;
}

static int start_listener(struct aggregator *aggregator)
{
    const char *listen = config_text(aggregator->config, "listen");
    aggregator->health = (struct health){ready, aggregator};
    health_routes(&aggregator->health, aggregator->routes);
    struct http_server_options options = {
        .listen = listen ? listen : LISTEN,
        .routes = aggregator->routes,
        .route_count = HEALTH_ROUTES,
        .threads = 1,
        .body_limit = BODY_LIMIT,
        .memory_limit = BODY_LIMIT * 64,
        .connection_limit = 64,
    };
    http_server_configure(&options, aggregator->config);
    return http_server_start(&options, &aggregator->server);
}

/* What is fetched comes in large pieces, allocated by one thread and freed by another. Left to
 * itself glibc raises the size from which it gives memory back at once, up to 32 MiB, and keeps
 * such pieces in the arena of each thread. */
static void bound_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
}

/* ERR_INVALID was told. */
static int load(struct aggregator *aggregator, struct rulebook **rulebook)
{
    struct fault fault = {.detail = ""};
    int rc = rulebook_load(aggregator->config, rulebook, &fault);
    if (rc == 0)
        rc = check_settings(aggregator->config, &fault);
    if (rc == ERR_INVALID)
        log_error("The configuration is wrong", LOG_TEXT("file", fault.file),
                  LOG_TEXT("pointer", fault.pointer), LOG_TEXT("error", fault.detail));
    if (rc == 0)
        return 0;
    rulebook_release(*rulebook);
    return rc;
}

static int open_all(struct aggregator *aggregator)
{
    struct rulebook *rulebook = NULL;
    int rc = load(aggregator, &rulebook);
    if (rc != 0)
        return rc;
    snapshot_put(&aggregator->rulebooks, &rulebook->snapshot);
    aggregator->tls = http_server_has_tls(aggregator->config);
    stage_metrics_init(config_number(aggregator->config, "quarantine_limit"), rulebook->topics);
    handoff_metrics_init();
    database_init();
    rc = relay_start(aggregator->config, &aggregator->rulebooks, &aggregator->relay);
    if (rc == 0)
        rc = start_writers(aggregator);
    if (rc == 0)
        rc = watch_start(&aggregator->setup, &aggregator->watch);
    if (rc == 0)
        rc = start_listener(aggregator);
    if (rc == 0)
        log_info("The aggregator reads", LOG_INT("departments", rulebook->vocabulary->count),
                 LOG_INT("writers", aggregator->writer_count));
    return rc;
}

/* Each goes on with the batch that it has, which a database that is away may make long. */
static void wait_for_writers(const struct aggregator *aggregator, const struct rulebook *rulebook)
{
    int64_t deadline = clock_monotonic_ms() + FOLLOW_MS;
    for (int i = 0; i < aggregator->writer_count; i++)
        while (!writer_follows(aggregator->writers[i], rulebook)) {
            if (clock_monotonic_ms() < deadline && !stop_wait(LOOK_MS))
                continue;
            log_warn("A writer still works by the old configuration, until its batch is through",
                     LOG_INT("writer", i));
            break;
        }
}

/* The apply of struct reload. */
static int go_over(void *context, const struct config *fresh, struct buffer *restart,
                   struct fault *fault)
{
    struct aggregator *aggregator = context;
    struct rulebook *rulebook = NULL;
    int rc = rulebook_load(fresh, &rulebook, fault);
    if (rc == 0 && http_server_has_tls(fresh) != aggregator->tls)
        reload_restart(restart, "tls_certificate");
    else if (rc == 0 && aggregator->tls)
        rc = http_server_renew(aggregator->server, fresh, fault);
    if (rc != 0) {
        rulebook_release(rulebook);
        return rc;
    }
    stage_metrics_topics(rulebook->topics);
    log_info("The aggregator goes over to the new configuration",
             LOG_INT("departments", rulebook->vocabulary->count),
             LOG_INT("rules", rulebook->rules->count));
    snapshot_put(&aggregator->rulebooks, &rulebook->snapshot);
    wait_for_writers(aggregator, rulebook);
    return 0;
}

static void close_all(struct aggregator *aggregator)
{
    int64_t deadline = clock_monotonic_ms() + STOP_DRAIN_MS;
    int rc = 0;
    stop_request();
    http_server_stop(aggregator->server, 1000);
    for (int i = 0; i < aggregator->writer_count; i++) {
        int joined = writer_join(aggregator->writers[i], deadline);
        rc = rc ? rc : joined;
    }
    int watched = watch_join(aggregator->watch, deadline);
    rc = rc ? rc : watched;
    if (rc == 0) /* a writer that goes on may still speak to it */
        rc = relay_join(aggregator->relay, deadline);
    if (rc != 0)
        _exit(EXIT_FAILED); /* threads are still at work: nothing may be freed under them */
    snapshot_put(&aggregator->rulebooks, NULL);
    config_free(aggregator->config);
}

int aggregator_main(int argc, char **argv)
{
    static const struct program program = {
        .name = "tl-aggregator",
        .purpose = "brings events from Kafka to the customers' timeline in PostgreSQL",
        .kind = PROGRAM_AGGREGATOR,
        .check = check,
        .healthy = healthy,
    };
    struct aggregator aggregator = {.config = NULL};
    snapshot_place_init(&aggregator.rulebooks);
    bound_memory();
    int status = program_start(&program, argc, argv, &aggregator.config);
    if (status >= 0)
        return status;
    int rc = open_all(&aggregator);
    if (rc == 0) {
        const struct reload reload = {aggregator.config, check, go_over, &aggregator};
        reload_until_stop(&reload);
        log_info("The aggregator ends");
    }
    close_all(&aggregator);
    return rc == 0 ? EXIT_OK : EXIT_FAILED;
}
