#include "common/kafka/kafka_consumer.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/kafka/kafka_settings.h"
#include "common/kafka/kafka_wake.h"

#define WATERMARK_TIMEOUT_MS 5000
#define SEEK_TIMEOUT_MS      5000
#define LOOK_EVERY_MS        1000
#define LOOK_TIMEOUT_MS      500
#define FETCH_SHARES         4

struct kafka_consumer {
    rd_kafka_t *rk;
    struct kafka_listener listener;
    int failure; /* what the listener failed with, handed out by the next poll */
    bool away;   /* no broker answered when last looked */
    int64_t next_look_ms;
    struct kafka_wake wake;
};

static void fill_partition(rd_kafka_t *rk, const rd_kafka_topic_partition_t *from,
                           struct kafka_partition *to)
{
    *to = (struct kafka_partition){.partition = from->partition};
    snprintf(to->topic, sizeof to->topic, "%s", from->topic);
    int64_t low = 0, high = 0;
    rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(rk, from->topic, from->partition,
                                                               &low, &high, WATERMARK_TIMEOUT_MS);
    if (err) {
        log_warn("Kafka did not tell where a partition begins", LOG_TEXT("topic", from->topic),
                 LOG_INT("partition", from->partition), LOG_TEXT("error", rd_kafka_err2str(err)));
        low = -1;
    }
    to->low_watermark = low;
}

/* Asks the listener where to begin, and begins there. */
static int assign(struct kafka_consumer *consumer, rd_kafka_t *rk,
                  rd_kafka_topic_partition_list_t *list)
{
    size_t count = (size_t)list->cnt;
    struct kafka_partition *partitions = calloc(count + 1, sizeof *partitions);
    if (!partitions)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        fill_partition(rk, &list->elems[i], &partitions[i]);
        if (partitions[i].low_watermark < 0) {
            free(partitions);
            return ERR_BUSY;
        }
    }
    int rc = consumer->listener.assigned(consumer->listener.context, partitions, count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        list->elems[i].offset = partitions[i].offset;
    free(partitions);
    return rc;
}

/* Eager rebalancing: all partitions come and go together. */
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_consumer *consumer = opaque;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        int rc = assign(consumer, rk, list);
        if (rc != 0)
            consumer->failure = rc;
        err = rd_kafka_assign(rk, rc == 0 ? list : NULL);
        kafka_wake_assign(&consumer->wake, rc == 0 ? list : NULL);
    } else {
        consumer->listener.revoked(consumer->listener.context, rd_kafka_assignment_lost(rk));
        err = rd_kafka_assign(rk, NULL);
        kafka_wake_assign(&consumer->wake, NULL);
    }
    if (err) {
        log_error("Kafka refuses an assignment", LOG_TEXT("error", rd_kafka_err2str(err)));
        consumer->failure = ERR_IO;
    }
}

/* From inside poll. librdkafka says when all brokers are gone, but not when one is back. */
static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    (void)rk;
    struct kafka_consumer *consumer = opaque;
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        consumer->away = true;
    log_warn("Kafka reports trouble", LOG_TEXT("error", reason));
}

static void look_for_brokers(struct kafka_consumer *consumer)
{
    int64_t now = clock_monotonic_ms();
    if (!consumer->away || now < consumer->next_look_ms)
        return;
    consumer->next_look_ms = now + LOOK_EVERY_MS;
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(consumer->rk, 0, NULL, &metadata, LOOK_TIMEOUT_MS))
        return;
    consumer->away = false;
    rd_kafka_metadata_destroy(metadata);
}

bool kafka_consumer_away(const struct kafka_consumer *consumer)
{
    return consumer->away;
}

static int subscribe(rd_kafka_t *rk, const char *const *topics)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (; *topics; topics++)
        rd_kafka_topic_partition_list_add(list, *topics, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (!err)
        return 0;
    log_error("Kafka refuses the subscription", LOG_TEXT("error", rd_kafka_err2str(err)));
    return ERR_IO;
}

/* The queue is full at a quarter of fetch_bytes, and then one more fetch may come, of as much: what
 * librdkafka counts is keys and values alone, without headers and its own 400 bytes a record. A
 * fetch is shared out to some partitions; a record that is larger comes all the same. */
struct fetch_sizes {
    char queue_kib[24], fetch[24], partition[24];
};

static void size_fetches(int64_t fetch_bytes, struct fetch_sizes *sizes)
{
    int64_t fetch = fetch_bytes / 4;
    snprintf(sizes->queue_kib, sizeof sizes->queue_kib, "%lld", (long long)fetch_bytes / 4 / 1024);
    snprintf(sizes->fetch, sizeof sizes->fetch, "%lld", (long long)fetch);
    snprintf(sizes->partition, sizeof sizes->partition, "%lld", (long long)fetch / FETCH_SHARES);
}

static int make_settings(const struct config *config, struct kafka_consumer *consumer,
                         rd_kafka_conf_t **conf)
{
    struct fetch_sizes sizes;
    size_fetches(config_number(config, "fetch_bytes"), &sizes);
    const struct config_pair defaults[] = {
        /* A killed writer's partitions move on after this long. */
        {"session.timeout.ms", "10000"},
        /* How soon a writer hears that others have come. */
        {"heartbeat.interval.ms", "1000"},
        {"queued.max.messages.kbytes", sizes.queue_kib},
        {"fetch.max.bytes", sizes.fetch},
        {"message.max.bytes", sizes.fetch}, /* of a consumer: what fetch.max.bytes is at least */
        {"max.partition.fetch.bytes", sizes.partition},
        {"fetch.wait.max.ms", "100"},
        {"topic.metadata.refresh.interval.ms", "10000"},
        /* Not the second that is its default: the last, since older librdkafka has no such setting.
         */
        {kafka_wake_setting_known() ? FETCH_QUEUE_BACKOFF : NULL, "5"},
        {NULL, NULL},
    };
    const struct config_pair fixed[] = {
        {"group.id", config_text(config, "group")},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        /* Anything else skips over lost records without a word. */
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},
        {"partition.assignment.strategy", "range,roundrobin"},
        {"allow.auto.create.topics", "true"},
        {NULL, NULL},
    };
    struct fault fault = {.detail = ""};
    int rc = kafka_settings_new(config, defaults, fixed, conf, &fault);
    if (rc != 0) {
        log_error("The Kafka settings are wrong", LOG_TEXT("setting", fault.pointer),
                  LOG_TEXT("error", fault.detail));
        return rc;
    }
    rd_kafka_conf_set_opaque(*conf, consumer);
    rd_kafka_conf_set_rebalance_cb(*conf, on_rebalance);
    rd_kafka_conf_set_error_cb(*conf, on_error);
    return 0;
}

int kafka_consumer_open(const struct config *config, const char *const *topics,
                        const struct kafka_listener *listener, struct kafka_consumer **out)
{
    struct kafka_consumer *consumer = calloc(1, sizeof *consumer);
    if (!consumer)
        return ERR_MEMORY;
    consumer->listener = *listener;
    rd_kafka_conf_t *conf;
    int rc = make_settings(config, consumer, &conf);
    if (rc != 0) {
        free(consumer);
        return rc;
    }
    char error[256];
    consumer->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    if (!consumer->rk) {
        log_error("Cannot make a Kafka consumer", LOG_TEXT("error", error));
        rd_kafka_conf_destroy(conf);
        free(consumer);
        return ERR_IO;
    }
    rd_kafka_poll_set_consumer(consumer->rk);
    consumer->wake = (struct kafka_wake){.rk = consumer->rk,
                                         .every = (size_t)config_number(config, "fetch_bytes") / 8};
    rc = subscribe(consumer->rk, topics);
    if (rc != 0) {
        kafka_consumer_close(consumer);
        return rc;
    }
    *out = consumer;
    return 0;
}

static void view_headers(struct kafka_message *message, const rd_kafka_message_t *handle)
{
    rd_kafka_headers_t *headers;
    message->headers_cut = false;
    message->record.headers = message->headers;
    message->record.header_count = 0;
    if (rd_kafka_message_headers(handle, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    const char *name;
    const void *value;
    size_t size, count = 0;
    while (rd_kafka_header_get_all(headers, count, &name, &value, &size) ==
           RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (count == RECORD_HEADERS_LIMIT) {
            message->headers_cut = true;
            break;
        }
        message->headers[count++] =
            (struct record_header){span_of(name), {value, value ? size : 0}};
    }
    message->record.header_count = count;
}

const struct record_header *kafka_message_headers(const struct kafka_message *message,
                                                  struct arena *arena, size_t *count)
{
    rd_kafka_headers_t *headers;
    *count = 0;
    if (rd_kafka_message_headers(message->handle, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        *count = rd_kafka_header_cnt(headers);
    struct record_header *all = arena_alloc(arena, (*count + 1) * sizeof *all);
    for (size_t i = 0; all && i < *count; i++) {
        const char *name;
        const void *value;
        size_t size;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
            return NULL;
        all[i] = (struct record_header){span_of(name), {value, value ? size : 0}};
    }
    return all;
}

void kafka_message_view(void *handle, struct kafka_message *message)
{
    const rd_kafka_message_t *m = handle;
    message->happening = KAFKA_RECORD;
    message->handle = NULL;
    message->record = (struct record){
        .topic = span_of(rd_kafka_topic_name(m->rkt)),
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
        .key = {m->key, m->key ? m->key_len : 0},
        .value = {m->payload, m->payload ? m->len : 0},
    };
    view_headers(message, m);
}

/* Errors come as messages, too: most are news that librdkafka deals with by itself. */
static int take_error(struct kafka_consumer *consumer, const rd_kafka_message_t *m,
                      struct kafka_message *message)
{
    switch (m->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        message->happening = KAFKA_END;
        break;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        message->happening = KAFKA_OUT_OF_RANGE;
        break;
    case RD_KAFKA_RESP_ERR__FATAL:
        log_error("The Kafka consumer cannot go on", LOG_TEXT("error", rd_kafka_message_errstr(m)));
        return ERR_IO;
    default:
        log_warn("Kafka reports trouble", LOG_TEXT("error", rd_kafka_message_errstr(m)));
        return consumer->failure;
    }
    message->record.topic = span_of(m->rkt ? rd_kafka_topic_name(m->rkt) : "");
    message->record.partition = m->partition;
    message->record.offset = m->offset;
    return 0;
}

int kafka_consumer_poll(struct kafka_consumer *consumer, int ms, struct kafka_message *message)
{
    message->happening = KAFKA_NOTHING;
    message->handle = NULL;
    message->record = (struct record){.partition = -1};
    rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer->rk, ms);
    if (consumer->failure != 0) {
        if (m)
            rd_kafka_message_destroy(m);
        int rc = consumer->failure;
        consumer->failure = 0;
        return rc;
    }
    if (!m) {
        look_for_brokers(consumer);
        return 0;
    }
    consumer->away = consumer->away && m->err;
    int rc = 0;
    if (m->err)
        rc = take_error(consumer, m, message);
    else
        kafka_message_view(m, message);
    message->handle = m;
    kafka_wake_read(&consumer->wake, m->err ? 0 : m->len + m->key_len);
    return rc;
}

void kafka_message_release(struct kafka_message *message)
{
    kafka_message_drop(message->handle);
    message->handle = NULL;
}

/* librdkafka takes headers apart when they are asked for, into a piece of memory each, and would
 * keep those as long as the message. Asked again, it takes them apart anew. */
static void drop_headers(rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_detach_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(headers);
}

void *kafka_message_keep(struct kafka_message *message)
{
    void *handle = message->handle;
    if (handle)
        drop_headers(handle);
    message->record.headers = NULL;
    message->record.header_count = 0;
    message->handle = NULL;
    return handle;
}

void kafka_message_drop(void *handle)
{
    if (handle)
        rd_kafka_message_destroy(handle);
}

static rd_kafka_topic_partition_list_t *list_of(const struct kafka_partition *partitions,
                                                size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition)
            ->offset = partitions[i].offset;
    return list;
}

void kafka_consumer_pause(struct kafka_consumer *consumer, const struct kafka_partition *partitions,
                          size_t count, bool pause)
{
    rd_kafka_topic_partition_list_t *list = list_of(partitions, count);
    rd_kafka_resp_err_t err = pause ? rd_kafka_pause_partitions(consumer->rk, list)
                                    : rd_kafka_resume_partitions(consumer->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        log_warn("Kafka does not pause or resume", LOG_TEXT("error", rd_kafka_err2str(err)));
}

int kafka_consumer_seek(struct kafka_consumer *consumer, const struct kafka_partition *partitions,
                        size_t count)
{
    rd_kafka_topic_partition_list_t *list = list_of(partitions, count);
    rd_kafka_error_t *error = rd_kafka_seek_partitions(consumer->rk, list, SEEK_TIMEOUT_MS);
    rd_kafka_resp_err_t err = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt && !err; i++)
        err = list->elems[i].err;
    rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(list);
    if (!err)
        return 0;
    log_warn("Kafka refuses to read on elsewhere", LOG_TEXT("error", rd_kafka_err2str(err)));
    return ERR_BUSY;
}

void kafka_consumer_note(struct kafka_consumer *consumer, const struct kafka_partition *partitions,
                         size_t count)
{
    if (count == 0)
        return;
    rd_kafka_topic_partition_list_t *list = list_of(partitions, count);
    rd_kafka_commit(consumer->rk, list, 1 /* without waiting */);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_consumer_close(struct kafka_consumer *consumer)
{
    if (!consumer)
        return;
    rd_kafka_consumer_close(consumer->rk);
    kafka_wake_assign(&consumer->wake, NULL);
    rd_kafka_destroy(consumer->rk);
    free(consumer);
}
