/*
 * A Kafka inside the test process: librdkafka's mock cluster with one broker, a
 * configuration folder that points to it, and a reader of what was published.
 */
#ifndef TESTS_UNIT_KAFKA_MOCK_H
#define TESTS_UNIT_KAFKA_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/stop.h"

#define MOCK_PARTITIONS 4
#define MOCK_PRODUCE    0 /* protocol numbers of the requests that a test breaks */
#define MOCK_METADATA   3
#define MOCK_INIT_PID   22

struct kafka_mock {
    rd_kafka_t *host; /* where the cluster lives; also reads */
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *reader;
    rd_kafka_message_t *message; /* the one last read; librdkafka cannot end before it is freed */
    char dir[64];                /* the configuration folder */
    struct config *config;
};

static inline void mock_write(const struct kafka_mock *mock, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", mock->dir, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* `settings` is the content of throughline.json. */
static inline void mock_configure(struct kafka_mock *mock, const char *settings)
{
    struct fault fault = {0};
    config_free(mock->config);
    mock->config = NULL;
    mock_write(mock, "throughline.json", settings);
    setenv("TL_BROKERS", rd_kafka_mock_cluster_bootstraps(mock->cluster), 1);
    int rc = config_load(mock->dir, "tl-sales", PROGRAM_DEPARTMENT, &mock->config, &fault);
    if (rc)
        fail_msg("%s%s: %s", fault.file, fault.pointer, fault.detail);
}

static inline void mock_start(struct kafka_mock *mock)
{
    char error[256];
    *mock = (struct kafka_mock){0};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    mock->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    assert_non_null(mock->host);
    mock->cluster = rd_kafka_mock_cluster_new(mock->host, 1);
    assert_non_null(mock->cluster);
    snprintf(mock->dir, sizeof mock->dir, "/tmp/throughline-unit-XXXXXX");
    assert_non_null(mkdtemp(mock->dir));
}

static inline void mock_forget(struct kafka_mock *mock)
{
    if (mock->message)
        rd_kafka_message_destroy(mock->message);
    mock->message = NULL;
}

static inline void mock_stop(struct kafka_mock *mock)
{
    char command[128];
    config_free(mock->config);
    mock_forget(mock);
    if (mock->reader)
        rd_kafka_destroy(mock->reader);
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->host);
    snprintf(command, sizeof command, "rm -r %s", mock->dir);
    assert_int_equal(system(command), 0);
}

/* Reads every partition of the topic from its beginning. */
static inline void mock_read_from_start(struct kafka_mock *mock, const char *topic)
{
    char error[256];
    if (!mock->reader) {
        rd_kafka_conf_t *conf = rd_kafka_conf_new();
        rd_kafka_conf_set_log_cb(conf, NULL);
        rd_kafka_conf_set(conf, "bootstrap.servers",
                          rd_kafka_mock_cluster_bootstraps(mock->cluster), error, sizeof error);
        rd_kafka_conf_set(conf, "group.id", "reader", error, sizeof error);
        rd_kafka_conf_set(conf, "fetch.wait.max.ms", "20", error, sizeof error);
        mock->reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
        assert_non_null(mock->reader);
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(MOCK_PARTITIONS);
    for (int32_t i = 0; i < MOCK_PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(mock->reader, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
}

/* The next record, good until the next call; NULL when none comes within `ms`. */
static inline const rd_kafka_message_t *mock_next(struct kafka_mock *mock, int ms)
{
    int64_t deadline = clock_monotonic_ms() + ms;
    for (int64_t left = ms; left > 0; left = deadline - clock_monotonic_ms()) {
        mock_forget(mock);
        mock->message = rd_kafka_consumer_poll(mock->reader, (int)left);
        if (mock->message && !mock->message->err)
            return mock->message;
    }
    mock_forget(mock);
    return NULL;
}

/* A record's header as text, "" where it has none. Good until the next but one call. */
static inline const char *mock_header(const rd_kafka_message_t *message, const char *name)
{
    static char text[2][1024];
    static int turn;
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    char *out = text[turn = !turn];
    out[0] = '\0';
    if (rd_kafka_message_headers(message, &headers) == 0 &&
        rd_kafka_header_get_last(headers, name, &value, &len) == 0 && value)
        snprintf(out, sizeof text[0], "%.*s", (int)len, (const char *)value);
    return out;
}

/* Waits for a condition, at most `ms`; false when it did not come. */
static inline bool mock_wait(bool (*condition)(void *context), void *context, int ms)
{
    int64_t deadline = clock_monotonic_ms() + ms;
    while (!condition(context)) {
        if (clock_monotonic_ms() > deadline)
            return false;
        stop_wait(10);
    }
    return true;
}

#endif
