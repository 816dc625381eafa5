#include "common/kafka/kafka_producer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/kafka/kafka_client.h"
#include "common/kafka/kafka_settings.h"
#include "common/kafka/kafka_watch.h"
#include "common/metrics.h"

#define TOPIC_NAME_SIZE 250     /* Kafka's bound, with the NUL */
#define RECORD_LIMIT    2097152 /* bytes; producers, topics and consumers are set for it */

struct kafka_producer {
    const struct config *config;
    struct kafka_watch *watch;
    pthread_rwlock_t lock;        /* senders read, the watch swaps clients */
    struct kafka_client *client;  /* the one to send to */
    struct kafka_client *retired; /* had a fatal error; of the watch's thread */
    int timeout_ms;
    atomic_bool failing; /* the last delivery failed: said once, not per record */
    int64_t byte_limit;
    atomic_int_fast64_t bytes; /* of records that wait, with all that keeping them takes */
    struct metric *queued, *delivered, *failed, *recreated;
};

/* One record on its way: what librdkafka hands back with the delivery report. */
struct pending {
    kafka_delivered *delivered;
    void *opaque;
    int64_t bytes;
};

/* What a record takes while it waits: librdkafka counts key and value alone, but keeps headers one
 * by one, and for small events those are most of it. The overheads are its structures and
 * malloc's, rounded up. */
static int64_t cost_of(const struct record *record)
{
    enum { RECORD_OVERHEAD = 320, HEADER_OVERHEAD = 80 };
    size_t bytes = RECORD_OVERHEAD + record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++)
        bytes += HEADER_OVERHEAD + record->headers[i].name.len + record->headers[i].value.len;
    return (int64_t)bytes;
}

static bool make_room(struct kafka_producer *producer, int64_t bytes)
{
    if (atomic_fetch_add(&producer->bytes, bytes) + bytes <= producer->byte_limit)
        return true;
    atomic_fetch_sub(&producer->bytes, bytes);
    return false;
}

static void note_delivery(struct kafka_producer *producer, const rd_kafka_message_t *message,
                          int result)
{
    if (result == 0) {
        metric_add(producer->delivered, 1);
        kafka_watch_contact(producer->watch);
        if (atomic_exchange(&producer->failing, false))
            log_info("Kafka takes records again");
        return;
    }
    metric_add(producer->failed, 1);
    if (result == ERR_LIMIT)
        return;
    if (!atomic_exchange(&producer->failing, true))
        log_warn("Kafka did not acknowledge a record",
                 LOG_TEXT("topic", rd_kafka_topic_name(message->rkt)),
                 LOG_TEXT("error", rd_kafka_err2str(message->err)));
    kafka_watch_trouble(producer->watch);
}

static int result_of(const rd_kafka_message_t *message)
{
    if (rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_PERSISTED)
        return 0;
    if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
        message->err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
        return ERR_LIMIT;
    return ERR_BUSY;
}

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *opaque)
{
    (void)kafka;
    struct kafka_producer *producer = opaque;
    struct pending *pending = message->_private;
    int result = result_of(message);
    metric_add(producer->queued, -1);
    atomic_fetch_sub(&producer->bytes, pending->bytes);
    note_delivery(producer, message, result);
    pending->delivered(pending->opaque, result);
    free(pending);
}

static void on_error(rd_kafka_t *kafka, int code, const char *reason, void *opaque)
{
    struct kafka_producer *producer = opaque;
    if (code != RD_KAFKA_RESP_ERR__FATAL) {
        kafka_watch_error(producer->watch, (rd_kafka_resp_err_t)code, reason);
        return;
    }
    char text[512] = "";
    rd_kafka_fatal_error(kafka, text, sizeof text);
    log_warn("the Kafka producer had a fatal error and is made anew", LOG_TEXT("error", text));
    kafka_watch_fatal(producer->watch);
}

static int settings(const struct config *config, rd_kafka_conf_t **conf, struct fault *fault)
{
    char linger[32], timeout[32], records[32], kilobytes[32], record_limit[32];
    snprintf(linger, sizeof linger, "%lld", (long long)config_number(config, "publish_linger"));
    snprintf(timeout, sizeof timeout, "%lld", (long long)config_number(config, "publish_timeout"));
    snprintf(records, sizeof records, "%lld",
             (long long)config_number(config, "publish_queue_records"));
    snprintf(kilobytes, sizeof kilobytes, "%lld",
             (long long)config_number(config, "publish_queue_bytes") / 1024);
    snprintf(record_limit, sizeof record_limit, "%d", RECORD_LIMIT);
    const struct config_pair defaults[] = {
        {"message.max.bytes", record_limit},
        {"linger.ms", linger},
        /* Small records are copied once more into requests, of which some are under way. */
        {"batch.size", "262144"},
        /* After an outage the answers must come back soon, not after 10 s. */
        {"reconnect.backoff.ms", "100"},
        {"reconnect.backoff.max.ms", "1000"},
        {NULL, NULL},
    };
    const struct config_pair fixed[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"}, /* as Java's: a customer keeps its partition */
        {"message.timeout.ms", timeout},
        {"queue.buffering.max.messages", records},
        {"queue.buffering.max.kbytes", kilobytes},
        {"delivery.report.only.error", "false"},
        {NULL, NULL},
    };
    return kafka_settings_new(config, defaults, fixed, conf, fault);
}

int kafka_producer_check(const struct config *config, struct fault *fault)
{
    rd_kafka_conf_t *conf;
    int rc = settings(config, &conf, fault);
    if (rc == 0)
        rd_kafka_conf_destroy(conf);
    return rc;
}

static int open_client(struct kafka_producer *producer, struct kafka_client **out)
{
    rd_kafka_conf_t *conf;
    struct fault fault = {0};
    int rc = settings(producer->config, &conf, &fault);
    if (rc) {
        log_error("the Kafka settings are wrong", LOG_TEXT("pointer", fault.pointer),
                  LOG_TEXT("detail", fault.detail));
        return rc;
    }
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return kafka_client_open(conf, out);
}

/* On the watch's thread: senders go to a new client from here on. */
static rd_kafka_t *replace_client(void *context)
{
    struct kafka_producer *producer = context;
    struct kafka_client *fresh;
    if (open_client(producer, &fresh))
        return NULL;
    pthread_rwlock_wrlock(&producer->lock);
    producer->retired = producer->client;
    producer->client = fresh;
    pthread_rwlock_unlock(&producer->lock);
    metric_add(producer->recreated, 1);
    return fresh->kafka;
}

static void close_retired(void *context)
{
    struct kafka_producer *producer = context;
    kafka_client_close(producer->retired, producer->timeout_ms);
    producer->retired = NULL;
}

static int open_parts(struct kafka_producer *producer)
{
    const struct kafka_watch_owner owner = {replace_client, close_retired, producer};
    int rc = kafka_watch_new(&owner, &producer->watch);
    if (!rc)
        rc = open_client(producer, &producer->client);
    if (!rc)
        rc = kafka_watch_start(producer->watch, producer->client->kafka);
    return rc;
}

int kafka_producer_open(const struct config *config, struct kafka_producer **out)
{
    struct kafka_producer *producer = calloc(1, sizeof *producer);
    if (!producer)
        return ERR_MEMORY;
    producer->config = config;
    producer->timeout_ms = (int)config_number(config, "publish_timeout");
    producer->byte_limit = config_number(config, "publish_queue_bytes");
    producer->queued = metric_gauge("throughline_publish_queue_records", NULL,
                                    "Records that wait for Kafka's acknowledgement");
    producer->delivered = metric_counter("throughline_publish_delivered_total", NULL,
                                         "Records that Kafka acknowledged");
    producer->failed = metric_counter("throughline_publish_failed_total", NULL,
                                      "Records that Kafka refused or did not acknowledge in time");
    producer->recreated = metric_counter("throughline_publish_recreated_total", NULL,
                                         "Times the producer was made anew after a fatal error");
    if (pthread_rwlock_init(&producer->lock, NULL)) {
        free(producer);
        return ERR_MEMORY;
    }
    int rc = open_parts(producer);
    if (rc) {
        kafka_client_close(producer->client, 0);
        kafka_watch_free(producer->watch);
        pthread_rwlock_destroy(&producer->lock);
        free(producer);
        return rc;
    }
    *out = producer;
    return 0;
}

void kafka_producer_close(struct kafka_producer *producer, int ms)
{
    if (!producer)
        return;
    kafka_watch_stop(producer->watch);
    kafka_client_close(producer->client, ms);
    kafka_watch_free(producer->watch);
    pthread_rwlock_destroy(&producer->lock);
    free(producer);
}

bool kafka_producer_ready(struct kafka_producer *producer, const char *topic, char *why,
                          size_t why_size)
{
    return kafka_watch_ready(producer->watch, topic, why, why_size);
}

/* NULL when a header was not taken: a record without it would say something else. */
static rd_kafka_headers_t *copy_headers(const struct record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (size_t i = 0; i < record->header_count && !error; i++) {
        const struct record_header *header = &record->headers[i];
        error = rd_kafka_header_add(headers, header->name.ptr, (ssize_t)header->name.len,
                                    header->value.ptr, (ssize_t)header->value.len);
    }
    if (!error)
        return headers;
    rd_kafka_headers_destroy(headers);
    return NULL;
}

/* librdkafka's prototypes have no const where it only copies. */
static void *without_const(const void *bytes)
{
    return (void *)(uintptr_t)bytes;
}

static rd_kafka_resp_err_t produce(rd_kafka_t *kafka, const struct record *record,
                                   struct pending *pending)
{
    char topic[TOPIC_NAME_SIZE];
    snprintf(topic, sizeof topic, "%.*s", SPAN_ARGS(record->topic));
    rd_kafka_headers_t *headers = copy_headers(record);
    if (!headers)
        return RD_KAFKA_RESP_ERR__FAIL;
    rd_kafka_resp_err_t error =
        rd_kafka_producev(kafka, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(record->partition),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(without_const(record->key.ptr), record->key.len),
                          RD_KAFKA_V_VALUE(without_const(record->value.ptr), record->value.len),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(pending), RD_KAFKA_V_END);
    if (error)
        rd_kafka_headers_destroy(headers);
    return error;
}

static int explain(struct kafka_producer *producer, rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return ERR_BUSY;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return ERR_LIMIT;
    case RD_KAFKA_RESP_ERR__FATAL:
        kafka_watch_fatal(producer->watch);
        return ERR_BUSY;
    default:
        log_warn("Kafka client took no record", LOG_TEXT("error", rd_kafka_err2str(error)));
        kafka_watch_trouble(producer->watch);
        return ERR_BUSY;
    }
}

int kafka_producer_send(struct kafka_producer *producer, const struct record *record,
                        kafka_delivered *delivered, void *opaque)
{
    if (kafka_watch_away(producer->watch))
        return ERR_BUSY;
    int64_t bytes = cost_of(record);
    if (!make_room(producer, bytes))
        return ERR_BUSY;
    struct pending *pending = malloc(sizeof *pending);
    if (!pending) {
        atomic_fetch_sub(&producer->bytes, bytes);
        return ERR_MEMORY;
    }
    *pending = (struct pending){delivered, opaque, bytes};

    metric_add(producer->queued, 1); /* before: the report may come at once */
    pthread_rwlock_rdlock(&producer->lock);
    rd_kafka_resp_err_t error = produce(producer->client->kafka, record, pending);
    pthread_rwlock_unlock(&producer->lock);
    if (!error)
        return 0;
    metric_add(producer->queued, -1);
    atomic_fetch_sub(&producer->bytes, bytes);
    free(pending);
    return explain(producer, error);
}
