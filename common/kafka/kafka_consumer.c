#include "common/kafka/kafka_consumer.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/kafka/kafka_end.h"
#include "common/kafka/kafka_settings.h"
#include "common/kafka/kafka_trouble.h"
#include "common/kafka/kafka_wake.h"
#include "common/kafka/kafka_watch.h"

#define WATERMARK_TIMEOUT_MS 5000
#define NOTED_TIMEOUT_MS     5000
#define SEEK_TIMEOUT_MS      5000
#define LEAVE_TIMEOUT_MS     3000
#define CLOSE_POLL_MS        100
#define TELL_AGAIN_MS        60000 /* how often the same trouble is logged at most */
#define FETCH_SHARES         4

struct kafka_consumer {
    rd_kafka_t *rk;
    struct kafka_listener listener;
    bool from_noted;
    int failure; /* what the listener failed with, handed out by the next poll */
    struct kafka_wake wake;
    struct kafka_watch *watch;
    bool watched;                     /* the watch's thread runs */
    bool assigned;                    /* and not yet revoked */
    enum kafka_trouble group_trouble; /* the group does not take us */
    rd_kafka_resp_err_t told;         /* the last error that was logged, */
    int64_t told_ms;                  /* and when */
};

/* Where the partitions begin, all in one round. -1 where the brokers do not tell: that matters only
 * to a listener that knows no offset of its own. */
static void ask_low_watermarks(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list,
                               struct kafka_partition *partitions)
{
    rd_kafka_topic_partition_list_t *low = rd_kafka_topic_partition_list_copy(list);
    for (int i = 0; i < low->cnt; i++)
        low->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(rk, low, WATERMARK_TIMEOUT_MS);
    int unknown = 0;
    for (int i = 0; i < low->cnt; i++) {
        bool told = !err && !low->elems[i].err && low->elems[i].offset >= 0;
        partitions[i].low_watermark = told ? low->elems[i].offset : -1;
        unknown += !told;
    }
    if (unknown > 0)
        log_warn("Kafka did not tell where partitions begin", LOG_INT("partitions", unknown),
                 LOG_TEXT("error", rd_kafka_err2str(err)));
    rd_kafka_topic_partition_list_destroy(low);
}

static int ask_noted(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list,
                     struct kafka_partition *partitions)
{
    rd_kafka_topic_partition_list_t *noted = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_resp_err_t err = rd_kafka_committed(rk, noted, NOTED_TIMEOUT_MS);
    for (int i = 0; i < noted->cnt && !err; i++) {
        err = noted->elems[i].err;
        if (noted->elems[i].offset >= 0)
            partitions[i].noted = noted->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(noted);
    if (!err)
        return 0;
    log_warn("Kafka did not tell how far the group has read",
             LOG_TEXT("error", rd_kafka_err2str(err)));
    return ERR_BUSY;
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
        partitions[i].partition = list->elems[i].partition;
        partitions[i].noted = -1;
        snprintf(partitions[i].topic, sizeof partitions[i].topic, "%s", list->elems[i].topic);
    }
    if (count > 0)
        ask_low_watermarks(rk, list, partitions);
    int rc = count > 0 && consumer->from_noted ? ask_noted(rk, list, partitions) : 0;
    if (rc == 0)
        rc = consumer->listener.assigned(consumer->listener.context, partitions, count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        list->elems[i].offset = partitions[i].offset;
    free(partitions);
    return rc;
}

static void set_group_trouble(struct kafka_consumer *consumer, enum kafka_trouble trouble,
                              const char *error)
{
    kafka_trouble_change(consumer->group_trouble, trouble, NULL, error);
    consumer->group_trouble = trouble;
}

/* Eager rebalancing: all partitions come and go together. */
static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_consumer *consumer = opaque;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        set_group_trouble(consumer, KAFKA_TROUBLE_NONE, NULL);
        consumer->assigned = true;
        int rc = assign(consumer, rk, list);
        if (rc != 0)
            consumer->failure = rc;
        err = rd_kafka_assign(rk, rc == 0 ? list : NULL);
        kafka_wake_assign(&consumer->wake, rc == 0 ? list : NULL);
    } else {
        consumer->assigned = false;
        consumer->listener.revoked(consumer->listener.context, rd_kafka_assignment_lost(rk));
        err = rd_kafka_assign(rk, NULL);
        kafka_wake_assign(&consumer->wake, NULL);
    }
    if (err) {
        log_error("Kafka refuses an assignment", LOG_TEXT("error", rd_kafka_err2str(err)));
        consumer->failure = ERR_IO;
    }
}

/* From inside poll: of connections. */
static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    (void)rk;
    struct kafka_consumer *consumer = opaque;
    kafka_watch_error(consumer->watch, (rd_kafka_resp_err_t)err, reason);
}

const char *kafka_consumer_trouble(const struct kafka_consumer *consumer)
{
    enum kafka_trouble now = kafka_watch_now(consumer->watch);
    return kafka_trouble_words(now ? now : consumer->group_trouble);
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

static int make_settings(const struct config *config, const char *group, rd_kafka_conf_t **conf,
                         struct fault *fault)
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
        {"group.id", group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        /* Anything else skips over lost records without a word. */
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},
        /* What was damaged on the way, or on a broker's disk, shall be seen to be. */
        {"check.crcs", "true"},
        {"partition.assignment.strategy", "range,roundrobin"},
        {"allow.auto.create.topics", "true"},
        {NULL, NULL},
    };
    return kafka_settings_new(config, defaults, fixed, conf, fault);
}

int kafka_consumer_check(const struct config *config, struct fault *fault)
{
    rd_kafka_conf_t *conf;
    int rc = make_settings(config, config_text(config, "group"), &conf, fault);
    if (rc == 0)
        rd_kafka_conf_destroy(conf);
    return rc;
}

static int make_conf(const struct config *config, const char *group,
                     struct kafka_consumer *consumer, rd_kafka_conf_t **conf)
{
    struct fault fault = {.detail = ""};
    int rc = make_settings(config, group, conf, &fault);
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

/* The watch is there before the client, whose callbacks need it. */
static int make_client(const struct config *config, const char *group,
                       struct kafka_consumer *consumer)
{
    rd_kafka_conf_t *conf;
    char error[256];
    int rc = kafka_watch_new(NULL, &consumer->watch);
    if (rc == 0)
        rc = make_conf(config, group, consumer, &conf);
    if (rc != 0)
        return rc;
    consumer->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    if (!consumer->rk) {
        log_error("Cannot make a Kafka consumer", LOG_TEXT("error", error));
        rd_kafka_conf_destroy(conf);
        return ERR_IO;
    }
    rd_kafka_poll_set_consumer(consumer->rk);
    consumer->wake = (struct kafka_wake){.rk = consumer->rk,
                                         .every = (size_t)config_number(config, "fetch_bytes") / 8};
    return 0;
}

int kafka_consumer_open(const struct config *config, const struct kafka_reading *reading,
                        const struct kafka_listener *listener, struct kafka_consumer **out)
{
    struct kafka_consumer *consumer = calloc(1, sizeof *consumer);
    if (!consumer)
        return ERR_MEMORY;
    consumer->listener = *listener;
    consumer->from_noted = reading->from_noted;
    int rc = make_client(config, reading->group, consumer);
    for (const char *const *topic = reading->topics; rc == 0 && *topic; topic++)
        kafka_watch_ready(consumer->watch, *topic, NULL, 0); /* begins to look at it */
    if (rc == 0)
        rc = kafka_watch_start(consumer->watch, consumer->rk);
    consumer->watched = rc == 0;
    if (rc == 0)
        rc = subscribe(consumer->rk, reading->topics);
    if (rc != 0) {
        kafka_consumer_close(consumer);
        return rc;
    }
    *out = consumer;
    return 0;
}

/* Most are news that librdkafka deals with by itself, or tells over and over. */
static void tell(struct kafka_consumer *consumer, const rd_kafka_message_t *m)
{
    int64_t now = clock_monotonic_ms();
    if (m->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        set_group_trouble(consumer, kafka_trouble_of(m->err), rd_kafka_message_errstr(m));
        return;
    }
    if (kafka_trouble_of(m->err)) /* the watch looks for itself */
        return;
    if (m->err == consumer->told && now - consumer->told_ms < TELL_AGAIN_MS)
        return;
    consumer->told = m->err;
    consumer->told_ms = now;
    log_warn("Kafka reports trouble", LOG_TEXT("error", rd_kafka_message_errstr(m)));
}

/* Errors come as messages, too. */
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
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        message->happening = KAFKA_UNREADABLE;
        break;
    case RD_KAFKA_RESP_ERR__FATAL:
        log_error("The Kafka consumer cannot go on", LOG_TEXT("error", rd_kafka_message_errstr(m)));
        return ERR_IO;
    default:
        tell(consumer, m);
        return consumer->failure;
    }
    message->error = rd_kafka_message_errstr(m);
    message->record.topic = span_of(m->rkt ? rd_kafka_topic_name(m->rkt) : "");
    message->record.partition = m->partition;
    message->record.offset = m->offset;
    return 0;
}

int kafka_consumer_poll(struct kafka_consumer *consumer, int ms, struct kafka_message *message)
{
    message->happening = KAFKA_NOTHING;
    message->handle = NULL;
    message->error = "";
    message->record = (struct record){.partition = -1};
    rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer->rk, ms);
    if (consumer->failure != 0) {
        if (m)
            rd_kafka_message_destroy(m);
        int rc = consumer->failure;
        consumer->failure = 0;
        return rc;
    }
    if (!m)
        return 0;
    int rc = 0;
    if (m->err)
        rc = take_error(consumer, m, message);
    else
        kafka_message_view(m, message);
    message->handle = m;
    kafka_wake_read(&consumer->wake, m->err ? 0 : m->len + m->key_len);
    return rc;
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

/* rd_kafka_consumer_close waits for a broker that does not answer for as long as requests may take.
 * A group that was not left in time finds out by the session's timeout. */
static void leave_group(struct kafka_consumer *consumer)
{
    int64_t deadline = clock_monotonic_ms() + LEAVE_TIMEOUT_MS;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->rk, queue);
    if (error)
        log_warn("Kafka refuses to close a consumer",
                 LOG_TEXT("error", rd_kafka_error_string(error)));
    while (!error && !rd_kafka_consumer_closed(consumer->rk) && clock_monotonic_ms() < deadline) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer->rk, CLOSE_POLL_MS);
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_queue_destroy(queue);
    if (!error && !rd_kafka_consumer_closed(consumer->rk))
        log_warn("The consumer group was not left in time: its coordinator does not answer");
    rd_kafka_error_destroy(error);
}

void kafka_consumer_close(struct kafka_consumer *consumer)
{
    if (!consumer)
        return;
    if (consumer->watched)
        kafka_watch_stop(consumer->watch);
    if (consumer->rk) {
        leave_group(consumer);
        if (consumer->assigned) /* the group was not left */
            consumer->listener.revoked(consumer->listener.context, true);
        kafka_wake_assign(&consumer->wake, NULL);
        kafka_end(consumer->rk);
    }
    kafka_watch_free(consumer->watch);
    kafka_trouble_leave(consumer->group_trouble);
    free(consumer);
}
