/*
 * Fills Kafka with the benchmark's backlog, as an intake would have: every
 * event admitted and encoded by the same functions, published by the same
 * producer. Prints {"acknowledged": N, "failed": N, "bytes_per_event": N}, key,
 * headers and value counted; exit status 0 only when Kafka has acknowledged all.
 *
 *   produce_backlog EVENTS [DAYS [REGULAR]]      (TL_CONFIG, TL_BROKERS)
 *
 * They lie in DAYS days (60); with REGULAR one of so many is about the first customer.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/stop.h"
#include "common/event/event_kafka.h"
#include "common/kafka/kafka_producer.h"
#include "tests/bench/backlog_event.h"

#define ARENA_LIMIT  ((size_t)1024 * 1024)
#define STALL_MS     30000 /* Kafka that takes nothing for so long has failed */
#define MOST_PEOPLE  100000
#define MOST_FIRMS   10000
#define EVENTS_LIMIT 100000000
#define DAYS         60
#define DAYS_LIMIT   3650

struct production {
    struct config *config;
    struct identity_kinds *kinds;
    struct vocabulary *vocabulary;
    struct kafka_producer *producer;
    struct arena arena; /* of one event */
    uint64_t bytes;
    atomic_uint acknowledged, failed;
};

static void on_delivered(void *opaque, int result)
{
    struct production *production = opaque;
    atomic_fetch_add(result == 0 ? &production->acknowledged : &production->failed, 1);
}

static int open_all(struct production *production, struct fault *fault)
{
    const char *dir = getenv("TL_CONFIG");
    dir = dir ? dir : "config";
    arena_init(&production->arena, ARENA_LIMIT);
    int rc = config_load(dir, "tl-bench", PROGRAM_DEPARTMENT, &production->config, fault);
    if (rc == 0)
        rc = identity_kinds_load(dir, &production->kinds, fault);
    if (rc == 0)
        rc = vocabulary_load(dir, &production->vocabulary, fault);
    if (rc == 0)
        rc = kafka_producer_open(production->config, &production->producer);
    return rc;
}

static void close_all(struct production *production)
{
    kafka_producer_close(production->producer, STALL_MS);
    vocabulary_free(production->vocabulary);
    identity_kinds_free(production->kinds);
    config_free(production->config);
    arena_free(&production->arena);
}

static size_t size_of(const struct record *record)
{
    size_t size = record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++)
        size += record->headers[i].name.len + record->headers[i].value.len;
    return size;
}

/* Waits where the producer's queue is full, as an intake makes its senders wait. */
static int publish(struct production *production, const struct record *record)
{
    int64_t deadline = clock_monotonic_ms() + STALL_MS;
    int rc;
    while ((rc = kafka_producer_send(production->producer, record, on_delivered, production)) ==
           ERR_BUSY)
        if (clock_monotonic_ms() > deadline || stop_wait(1))
            return ERR_BUSY;
    return rc;
}

static int produce_one(struct production *production, const struct backlog *backlog,
                       uint32_t number, struct fault *fault)
{
    struct event event;
    struct event_facts facts;
    char topic[64];
    struct record record = {.partition = -1};
    arena_reset(&production->arena);
    const char *name = backlog_event(backlog, number, &production->arena, &event);
    if (!name)
        return ERR_MEMORY;
    const struct admission admission = {
        production->kinds, vocabulary_department(production->vocabulary, span_of(name)),
        clock_wall_us()};
    if (!admission.department)
        return fault_set(fault, "", "the configuration has no department %s", name);
    int rc = event_admit(&admission, &event, NULL, &production->arena, &facts, fault);
    if (rc == 0)
        rc = event_to_record(&event, &facts, &production->arena, &record);
    if (rc != 0)
        return rc;
    snprintf(topic, sizeof topic, "events.%s", name);
    record.topic = span_of(topic);
    production->bytes += size_of(&record);
    return publish(production, &record);
}

static int produce(struct production *production, const struct backlog *backlog,
                   struct fault *fault)
{
    uint32_t *order = backlog_order(backlog);
    if (!order)
        return ERR_MEMORY;
    int rc = 0;
    for (uint32_t i = 0; i < backlog->events && rc == 0; i++)
        rc = produce_one(production, backlog, order[i], fault);
    free(order);
    return rc;
}

static bool parse_number(const char *text, long from, long to, uint32_t *number)
{
    char *end;
    long value = strtol(text, &end, 10);
    *number = (uint32_t)value;
    return *end == '\0' && value >= from && value <= to;
}

static bool parse(int argc, char **argv, struct backlog *backlog)
{
    *backlog = (struct backlog){.days = DAYS};
    if (argc < 2 || argc > 4 || !parse_number(argv[1], 10, EVENTS_LIMIT, &backlog->events) ||
        (argc > 2 && !parse_number(argv[2], 1, DAYS_LIMIT, &backlog->days)) ||
        (argc > 3 && !parse_number(argv[3], 1, EVENTS_LIMIT, &backlog->regular)))
        return false;
    backlog->customers = backlog->events / 10 < MOST_PEOPLE ? backlog->events / 10 : MOST_PEOPLE;
    backlog->accounts = backlog->customers < MOST_FIRMS ? backlog->customers : MOST_FIRMS;
    return true;
}

int main(int argc, char **argv)
{
    struct backlog backlog;
    if (!parse(argc, argv, &backlog)) {
        fprintf(stderr, "usage: produce_backlog EVENTS (10 to %d) [DAYS [REGULAR]]\n",
                EVENTS_LIMIT);
        return 2;
    }
    log_init("produce_backlog", LOG_LEVEL_WARN);
    struct production production = {.config = NULL};
    struct fault fault = {.detail = ""};
    int rc = stop_install();
    if (rc == 0)
        rc = open_all(&production, &fault);
    if (rc == 0)
        rc = produce(&production, &backlog, &fault);
    close_all(&production); /* the last acknowledgements come in here */
    if (rc != 0)
        log_error("The backlog is not complete", LOG_TEXT("reason", error_name(rc)),
                  LOG_TEXT("file", fault.file), LOG_TEXT("pointer", fault.pointer),
                  LOG_TEXT("error", fault.detail));
    unsigned acknowledged = atomic_load(&production.acknowledged);
    printf("{\"acknowledged\": %u, \"failed\": %u, \"bytes_per_event\": %.1f}\n", acknowledged,
           atomic_load(&production.failed), (double)production.bytes / backlog.events);
    return rc == 0 && acknowledged == backlog.events ? 0 : 1;
}
