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
#include "services/aggregator/database.h"
#include "services/aggregator/duty.h"
#include "services/aggregator/handoff_metrics.h"
#include "services/aggregator/relay.h"
#include "services/aggregator/stage_metrics.h"
#include "services/aggregator/watch.h"
#include "services/aggregator/writer.h"

#define LISTEN         "127.0.0.1:8110"
#define MMAP_THRESHOLD (128 * 1024)
#define BODY_LIMIT     ((size_t)1024) /* nobody posts anything here */

struct aggregator {
    struct config *config;
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct handoff_rules *rules;
    const char **topics;
    struct writer_setup setup;
    struct writer *writers[WRITERS_LIMIT];
    int writer_count;
    struct relay *relay;
    struct watch *watch;
    struct health health;
    struct http_route routes[HEALTH_ROUTES];
    struct http_server *server;
};

static int load(struct aggregator *aggregator, const char *dir, struct fault *fault)
{
    int rc = identity_kinds_load(dir, &aggregator->kinds, fault);
    if (rc == 0)
        rc = vocabulary_load(dir, &aggregator->vocabulary, fault);
    if (rc == 0 && aggregator->vocabulary->count == 0)
        rc = fault_set(fault, "", "the folder departments has no department");
    if (rc == 0)
        rc = handoff_rules_load(dir, aggregator->vocabulary, &aggregator->rules, fault);
    return rc;
}

static void unload(struct aggregator *aggregator)
{
    if (aggregator->topics)
        for (size_t i = 0; aggregator->topics[i]; i++)
            free((void *)(uintptr_t)aggregator->topics[i]);
    free(aggregator->topics);
    handoff_rules_free(aggregator->rules);
    vocabulary_free(aggregator->vocabulary);
    identity_kinds_free(aggregator->kinds);
    config_free(aggregator->config);
}

static int check_settings(const struct config *config, struct fault *fault)
{
    int rc = http_server_check(config, fault);
    if (rc == 0)
        rc = kafka_consumer_check(config, fault);
    return rc;
}

static int check(const struct config *config, struct fault *fault)
{
    struct aggregator aggregator = {.kinds = NULL};
    int rc = load(&aggregator, config_dir(config), fault);
    if (rc == 0)
        rc = check_settings(config, fault);
    unload(&aggregator);
    return rc;
}

static int healthy(const struct config *config, struct fault *fault)
{
    const char *listen = config_text(config, "listen");
    return readiness_of_own(listen ? listen : LISTEN, http_server_has_tls(config), fault);
}

/* "events.<department>" for each department that has a file, and the system's own. */
static int name_topics(struct aggregator *aggregator)
{
    const struct vocabulary *vocabulary = aggregator->vocabulary;
    aggregator->topics = calloc(vocabulary->count + 2, sizeof *aggregator->topics);
    if (!aggregator->topics)
        return ERR_MEMORY;
    for (size_t i = 0; i < vocabulary->count; i++) {
        char topic[64];
        snprintf(topic, sizeof topic, "events.%s", vocabulary->departments[i].name);
        aggregator->topics[i] = strdup(topic);
        if (!aggregator->topics[i])
            return ERR_MEMORY;
    }
    aggregator->topics[vocabulary->count] = strdup(SYSTEM_TOPIC);
    return aggregator->topics[vocabulary->count] ? 0 : ERR_MEMORY;
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
        (struct writer_setup){aggregator->config, aggregator->kinds,  aggregator->vocabulary,
                              aggregator->rules,  aggregator->topics, aggregator->relay};
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

static int open_all(struct aggregator *aggregator)
{
    struct fault fault = {.detail = ""};
    int rc = load(aggregator, config_dir(aggregator->config), &fault);
    if (rc == 0)
        rc = check_settings(aggregator->config, &fault);
    if (rc == ERR_INVALID)
        log_error("The configuration is wrong", LOG_TEXT("file", fault.file),
                  LOG_TEXT("pointer", fault.pointer), LOG_TEXT("error", fault.detail));
    if (rc == 0)
        rc = name_topics(aggregator);
    if (rc != 0)
        return rc;
    stage_metrics_init(config_number(aggregator->config, "quarantine_limit"), aggregator->topics);
    handoff_metrics_init();
    database_init();
    rc = relay_start(aggregator->config, aggregator->vocabulary, aggregator->rules,
                     &aggregator->relay);
    if (rc == 0)
        rc = start_writers(aggregator);
    if (rc == 0)
        rc = watch_start(&aggregator->setup, &aggregator->watch);
    if (rc == 0)
        rc = start_listener(aggregator);
    return rc;
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
    unload(aggregator);
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
    bound_memory();
    int status = program_start(&program, argc, argv, &aggregator.config);
    if (status >= 0)
        return status;
    int rc = open_all(&aggregator);
    if (rc == 0) {
        log_info("The aggregator reads", LOG_INT("departments", aggregator.vocabulary->count),
                 LOG_INT("writers", aggregator.writer_count));
        stop_wait(-1);
        log_info("The aggregator ends");
    }
    close_all(&aggregator);
    return rc == 0 ? EXIT_OK : EXIT_FAILED;
}
