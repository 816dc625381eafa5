#include "tests/unit/failing_stream.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/failing.h"

#define EMPTY_POLLS                                                                                \
    50 /* until it is to stop, dealt with or not: a stopped partition never ends                   \
        */

typedef void rebalance_fn(rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *,
                          void *);

static struct {
    const struct failing_stream *of; /* NULL: the real librdkafka */
    rebalance_fn *on_rebalance;
    void *opaque;
    bool subscribed, told, stop;
    bool assigned[STREAM_PARTITIONS], at_end[STREAM_PARTITIONS], broken[STREAM_PARTITIONS];
    int64_t next[STREAM_PARTITIONS], noted[STREAM_PARTITIONS];
    size_t held;
    int empty_polls;
} stream;

static char the_consumer, the_queue, the_topic[] = STREAM_TOPIC;

static int turn(const char *call, int ways)
{
    return failing_now(FAILING_KAFKA, call, ways);
}

void failing_stream_open(const struct failing_stream *of)
{
    memset(&stream, 0, sizeof stream);
    stream.of = of;
}

void failing_stream_close(void)
{
    stream.of = NULL;
}

int64_t failing_stream_noted(int partition)
{
    return stream.noted[partition];
}

size_t failing_stream_held(void)
{
    return stream.held;
}

/* --- stopping --- */

bool __real_stop_requested(void);
bool __wrap_stop_requested(void);
bool __real_stop_wait(int ms);
bool __wrap_stop_wait(int ms);

bool __wrap_stop_requested(void)
{
    return stream.of ? stream.stop : __real_stop_requested();
}

/* No test waits for a wait. */
bool __wrap_stop_wait(int ms)
{
    return stream.of ? stream.stop : __real_stop_wait(ms);
}

/* --- the consumer's life --- */

void __real_rd_kafka_conf_set_rebalance_cb(rd_kafka_conf_t *, rebalance_fn *);
void __wrap_rd_kafka_conf_set_rebalance_cb(rd_kafka_conf_t *, rebalance_fn *);
void __real_rd_kafka_conf_set_opaque(rd_kafka_conf_t *, void *);
void __wrap_rd_kafka_conf_set_opaque(rd_kafka_conf_t *, void *);
rd_kafka_t *__real_rd_kafka_new(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t);
rd_kafka_t *__wrap_rd_kafka_new(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t);
void __real_rd_kafka_destroy_flags(rd_kafka_t *, int);
void __wrap_rd_kafka_destroy_flags(rd_kafka_t *, int);
rd_kafka_resp_err_t __real_rd_kafka_poll_set_consumer(rd_kafka_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_poll_set_consumer(rd_kafka_t *);
rd_kafka_resp_err_t __real_rd_kafka_subscribe(rd_kafka_t *,
                                              const rd_kafka_topic_partition_list_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_subscribe(rd_kafka_t *,
                                              const rd_kafka_topic_partition_list_t *);
rd_kafka_queue_t *__real_rd_kafka_queue_get_consumer(rd_kafka_t *);
rd_kafka_queue_t *__wrap_rd_kafka_queue_get_consumer(rd_kafka_t *);
void __real_rd_kafka_queue_destroy(rd_kafka_queue_t *);
void __wrap_rd_kafka_queue_destroy(rd_kafka_queue_t *);
rd_kafka_error_t *__real_rd_kafka_consumer_close_queue(rd_kafka_t *, rd_kafka_queue_t *);
rd_kafka_error_t *__wrap_rd_kafka_consumer_close_queue(rd_kafka_t *, rd_kafka_queue_t *);
int __real_rd_kafka_consumer_closed(rd_kafka_t *);
int __wrap_rd_kafka_consumer_closed(rd_kafka_t *);

void __wrap_rd_kafka_conf_set_rebalance_cb(rd_kafka_conf_t *conf, rebalance_fn *on_rebalance)
{
    stream.on_rebalance = on_rebalance;
    __real_rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
}

void __wrap_rd_kafka_conf_set_opaque(rd_kafka_conf_t *conf, void *opaque)
{
    stream.opaque = opaque;
    __real_rd_kafka_conf_set_opaque(conf, opaque);
}

rd_kafka_t *__wrap_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *error,
                                size_t size)
{
    if (turn("rd_kafka_new", 1) >= 0) { /* it does not take the settings then */
        strncpy(error, "made to fail", size);
        return NULL;
    }
    if (!stream.of)
        return __real_rd_kafka_new(type, conf, error, size);
    rd_kafka_conf_destroy(conf);
    stream.subscribed = stream.told = false;
    memset(stream.assigned, 0, sizeof stream.assigned);
    return (rd_kafka_t *)(void *)&the_consumer;
}

void __wrap_rd_kafka_destroy_flags(rd_kafka_t *consumer, int flags)
{
    if (!stream.of)
        __real_rd_kafka_destroy_flags(consumer, flags);
}

rd_kafka_resp_err_t __wrap_rd_kafka_poll_set_consumer(rd_kafka_t *consumer)
{
    if (turn("rd_kafka_poll_set_consumer", 1) >= 0)
        return RD_KAFKA_RESP_ERR__UNKNOWN_GROUP;
    return stream.of ? RD_KAFKA_RESP_ERR_NO_ERROR : __real_rd_kafka_poll_set_consumer(consumer);
}

rd_kafka_resp_err_t __wrap_rd_kafka_subscribe(rd_kafka_t *consumer,
                                              const rd_kafka_topic_partition_list_t *topics)
{
    if (turn("rd_kafka_subscribe", 1) >= 0)
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    if (!stream.of)
        return __real_rd_kafka_subscribe(consumer, topics);
    stream.subscribed = true;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t what)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(STREAM_PARTITIONS);
    for (int32_t i = 0; i < STREAM_PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(list, STREAM_TOPIC, i);
    stream.on_rebalance(consumer, what, list, stream.opaque);
    rd_kafka_topic_partition_list_destroy(list);
}

rd_kafka_queue_t *__wrap_rd_kafka_queue_get_consumer(rd_kafka_t *consumer)
{
    return stream.of ? (rd_kafka_queue_t *)(void *)&the_queue
                     : __real_rd_kafka_queue_get_consumer(consumer);
}

void __wrap_rd_kafka_queue_destroy(rd_kafka_queue_t *queue)
{
    if (!stream.of)
        __real_rd_kafka_queue_destroy(queue);
}

/* It fails after it has revoked: leaving the group did not work out. */
rd_kafka_error_t *__wrap_rd_kafka_consumer_close_queue(rd_kafka_t *consumer,
                                                       rd_kafka_queue_t *queue)
{
    int way = turn("rd_kafka_consumer_close_queue", 1);
    if (!stream.of)
        return __real_rd_kafka_consumer_close_queue(consumer, queue);
    if (stream.told)
        rebalance(consumer, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS);
    stream.told = false;
    return way < 0 ? NULL : rd_kafka_error_new(RD_KAFKA_RESP_ERR__STATE, "made to fail");
}

int __wrap_rd_kafka_consumer_closed(rd_kafka_t *consumer)
{
    return stream.of ? 1 : __real_rd_kafka_consumer_closed(consumer);
}

/* --- partitions --- */

rd_kafka_resp_err_t __real_rd_kafka_assign(rd_kafka_t *, const rd_kafka_topic_partition_list_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_assign(rd_kafka_t *, const rd_kafka_topic_partition_list_t *);
int __real_rd_kafka_assignment_lost(rd_kafka_t *);
int __wrap_rd_kafka_assignment_lost(rd_kafka_t *);
rd_kafka_error_t *__real_rd_kafka_seek_partitions(rd_kafka_t *, rd_kafka_topic_partition_list_t *,
                                                  int);
rd_kafka_error_t *__wrap_rd_kafka_seek_partitions(rd_kafka_t *, rd_kafka_topic_partition_list_t *,
                                                  int);
rd_kafka_resp_err_t __real_rd_kafka_commit(rd_kafka_t *, const rd_kafka_topic_partition_list_t *,
                                           int);
rd_kafka_resp_err_t __wrap_rd_kafka_commit(rd_kafka_t *, const rd_kafka_topic_partition_list_t *,
                                           int);
rd_kafka_resp_err_t __real_rd_kafka_committed(rd_kafka_t *, rd_kafka_topic_partition_list_t *, int);
rd_kafka_resp_err_t __wrap_rd_kafka_committed(rd_kafka_t *, rd_kafka_topic_partition_list_t *, int);
rd_kafka_resp_err_t __real_rd_kafka_pause_partitions(rd_kafka_t *,
                                                     rd_kafka_topic_partition_list_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_pause_partitions(rd_kafka_t *,
                                                     rd_kafka_topic_partition_list_t *);
rd_kafka_resp_err_t __real_rd_kafka_resume_partitions(rd_kafka_t *,
                                                      rd_kafka_topic_partition_list_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_resume_partitions(rd_kafka_t *,
                                                      rd_kafka_topic_partition_list_t *);
rd_kafka_resp_err_t __real_rd_kafka_offsets_for_times(rd_kafka_t *,
                                                      rd_kafka_topic_partition_list_t *, int);
rd_kafka_resp_err_t __wrap_rd_kafka_offsets_for_times(rd_kafka_t *,
                                                      rd_kafka_topic_partition_list_t *, int);

rd_kafka_topic_t *__real_rd_kafka_topic_new(rd_kafka_t *, const char *, rd_kafka_topic_conf_t *);
rd_kafka_topic_t *__wrap_rd_kafka_topic_new(rd_kafka_t *, const char *, rd_kafka_topic_conf_t *);
rd_kafka_resp_err_t __real_rd_kafka_metadata(rd_kafka_t *, int, rd_kafka_topic_t *,
                                             const struct rd_kafka_metadata **, int);
rd_kafka_resp_err_t __wrap_rd_kafka_metadata(rd_kafka_t *, int, rd_kafka_topic_t *,
                                             const struct rd_kafka_metadata **, int);

static void go_to(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        int32_t partition = list->elems[i].partition;
        stream.assigned[partition] = true;
        stream.at_end[partition] = stream.broken[partition] = false;
        stream.next[partition] = list->elems[i].offset;
    }
    stream.empty_polls = 0;
}

rd_kafka_resp_err_t __wrap_rd_kafka_assign(rd_kafka_t *consumer,
                                           const rd_kafka_topic_partition_list_t *list)
{
    if (turn("rd_kafka_assign", 1) >= 0)
        return RD_KAFKA_RESP_ERR__STATE;
    if (!stream.of)
        return __real_rd_kafka_assign(consumer, list);
    memset(stream.assigned, 0, sizeof stream.assigned);
    if (list)
        go_to(list);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

int __wrap_rd_kafka_assignment_lost(rd_kafka_t *consumer)
{
    return stream.of ? 0 : __real_rd_kafka_assignment_lost(consumer);
}

rd_kafka_error_t *__wrap_rd_kafka_seek_partitions(rd_kafka_t *consumer,
                                                  rd_kafka_topic_partition_list_t *list, int ms)
{
    int way = turn("rd_kafka_seek_partitions", 2);
    if (way == 0)
        return rd_kafka_error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, "made to fail");
    if (!stream.of)
        return __real_rd_kafka_seek_partitions(consumer, list, ms);
    if (way == 1)
        list->elems[0].err = RD_KAFKA_RESP_ERR__STATE;
    else
        go_to(list);
    return NULL;
}

rd_kafka_resp_err_t __wrap_rd_kafka_commit(rd_kafka_t *consumer,
                                           const rd_kafka_topic_partition_list_t *list, int async)
{
    if (turn("rd_kafka_commit", 1) >= 0)
        return RD_KAFKA_RESP_ERR__STATE;
    if (!stream.of)
        return __real_rd_kafka_commit(consumer, list, async);
    for (int i = 0; i < list->cnt; i++)
        stream.noted[list->elems[i].partition] = list->elems[i].offset;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t __wrap_rd_kafka_committed(rd_kafka_t *consumer,
                                              rd_kafka_topic_partition_list_t *list, int ms)
{
    if (turn("rd_kafka_committed", 1) >= 0)
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (!stream.of)
        return __real_rd_kafka_committed(consumer, list, ms);
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = stream.noted[list->elems[i].partition];
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t __wrap_rd_kafka_pause_partitions(rd_kafka_t *consumer,
                                                     rd_kafka_topic_partition_list_t *list)
{
    if (turn("rd_kafka_pause_partitions", 1) >= 0)
        return RD_KAFKA_RESP_ERR__STATE;
    return stream.of ? RD_KAFKA_RESP_ERR_NO_ERROR
                     : __real_rd_kafka_pause_partitions(consumer, list);
}

rd_kafka_resp_err_t __wrap_rd_kafka_resume_partitions(rd_kafka_t *consumer,
                                                      rd_kafka_topic_partition_list_t *list)
{
    if (turn("rd_kafka_resume_partitions", 1) >= 0)
        return RD_KAFKA_RESP_ERR__STATE;
    return stream.of ? RD_KAFKA_RESP_ERR_NO_ERROR
                     : __real_rd_kafka_resume_partitions(consumer, list);
}

/* Where partitions begin, or, for kafka_wake, anything. One way is an answer for some of them only.
 */
rd_kafka_resp_err_t __wrap_rd_kafka_offsets_for_times(rd_kafka_t *consumer,
                                                      rd_kafka_topic_partition_list_t *list, int ms)
{
    int way = turn("rd_kafka_offsets_for_times", 2);
    if (way == 0)
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (!stream.of)
        return __real_rd_kafka_offsets_for_times(consumer, list, ms);
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = 0;
    if (way == 1)
        list->elems[0].err = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The consumer's watch finds nobody, from a thread of its own that does not count: that is for
 * readiness alone. */
rd_kafka_resp_err_t __wrap_rd_kafka_metadata(rd_kafka_t *kafka, int all, rd_kafka_topic_t *topic,
                                             const struct rd_kafka_metadata **metadata, int ms)
{
    return stream.of || turn("rd_kafka_metadata", 1) >= 0
               ? RD_KAFKA_RESP_ERR__TRANSPORT
               : __real_rd_kafka_metadata(kafka, all, topic, metadata, ms);
}

rd_kafka_topic_t *__wrap_rd_kafka_topic_new(rd_kafka_t *kafka, const char *name,
                                            rd_kafka_topic_conf_t *conf)
{
    return stream.of || turn("rd_kafka_topic_new", 1) >= 0
               ? NULL
               : __real_rd_kafka_topic_new(kafka, name, conf);
}

/* --- messages --- */

rd_kafka_message_t *__real_rd_kafka_consumer_poll(rd_kafka_t *, int);
rd_kafka_message_t *__wrap_rd_kafka_consumer_poll(rd_kafka_t *, int);
void __real_rd_kafka_message_destroy(rd_kafka_message_t *);
void __wrap_rd_kafka_message_destroy(rd_kafka_message_t *);
const char *__real_rd_kafka_message_errstr(const rd_kafka_message_t *);
const char *__wrap_rd_kafka_message_errstr(const rd_kafka_message_t *);
int64_t __real_rd_kafka_message_timestamp(const rd_kafka_message_t *, rd_kafka_timestamp_type_t *);
int64_t __wrap_rd_kafka_message_timestamp(const rd_kafka_message_t *, rd_kafka_timestamp_type_t *);
const char *__real_rd_kafka_topic_name(const rd_kafka_topic_t *);
const char *__wrap_rd_kafka_topic_name(const rd_kafka_topic_t *);
rd_kafka_resp_err_t __real_rd_kafka_message_headers(const rd_kafka_message_t *,
                                                    rd_kafka_headers_t **);
rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *,
                                                    rd_kafka_headers_t **);
rd_kafka_resp_err_t __real_rd_kafka_message_detach_headers(rd_kafka_message_t *,
                                                           rd_kafka_headers_t **);
rd_kafka_resp_err_t __wrap_rd_kafka_message_detach_headers(rd_kafka_message_t *,
                                                           rd_kafka_headers_t **);

/* A message, and what librdkafka takes its headers from. */
struct held {
    rd_kafka_message_t message;
    const struct record *record;
    rd_kafka_headers_t *headers;
};

static struct held *held_of(const rd_kafka_message_t *message)
{
    return (struct held *)(uintptr_t)message;
}

static rd_kafka_message_t *make(rd_kafka_resp_err_t err, int32_t partition, int64_t offset,
                                const struct record *record)
{
    failing_exempt(true);
    struct held *held = calloc(1, sizeof *held);
    failing_exempt(false);
    held->record = record;
    held->message = (rd_kafka_message_t){.err = err,
                                         .rkt = (rd_kafka_topic_t *)(void *)the_topic,
                                         .partition = partition,
                                         .offset = offset};
    if (record) {
        held->message.key = (void *)(uintptr_t)record->key.ptr;
        held->message.key_len = record->key.len;
        held->message.payload = (void *)(uintptr_t)record->value.ptr;
        held->message.len = record->value.len;
    }
    stream.held++;
    return &held->message;
}

static const struct record *next_of(int32_t partition)
{
    for (size_t i = 0; i < stream.of->count; i++)
        if (stream.of->records[i].partition == partition &&
            stream.of->records[i].offset >= stream.next[partition])
            return &stream.of->records[i];
    return NULL;
}

static rd_kafka_message_t *next_message(void)
{
    for (int32_t i = 0; i < STREAM_PARTITIONS; i++) {
        if (!stream.assigned[i] || stream.broken[i] || stream.at_end[i])
            continue;
        const struct record *record = next_of(i);
        if (record) {
            stream.next[i] = record->offset + 1;
            return make(RD_KAFKA_RESP_ERR_NO_ERROR, i, record->offset, record);
        }
        stream.at_end[i] = true;
        stream.next[i] = stream.of->end[i];
        return make(RD_KAFKA_RESP_ERR__PARTITION_EOF, i, stream.of->end[i], NULL);
    }
    return NULL;
}

/* News of a failure, in place of what would have come; that comes later, except from a partition
 * whose offset is out of range. */
static rd_kafka_message_t *failure(int way)
{
    static const rd_kafka_resp_err_t ways[] = {
        RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR__BAD_MSG};
    if (way == 4)
        return NULL;
    if (way == 2)
        stream.broken[0] = true;
    return make(ways[way], 0, RD_KAFKA_OFFSET_INVALID, NULL);
}

rd_kafka_message_t *__wrap_rd_kafka_consumer_poll(rd_kafka_t *consumer, int ms)
{
    if (!stream.of)
        return __real_rd_kafka_consumer_poll(consumer, ms);
    int way = turn("rd_kafka_consumer_poll", 5);
    if (way >= 0)
        return failure(way);
    if (stream.subscribed && !stream.told) {
        stream.told = true;
        rebalance(consumer, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
        return NULL;
    }
    rd_kafka_message_t *message = next_message();
    if (!message)
        stream.stop = stream.of->done() || ++stream.empty_polls > EMPTY_POLLS;
    return message;
}

void __wrap_rd_kafka_message_destroy(rd_kafka_message_t *message)
{
    if (!stream.of) {
        __real_rd_kafka_message_destroy(message);
        return;
    }
    struct held *held = held_of(message);
    if (held->headers)
        rd_kafka_headers_destroy(held->headers);
    free(held);
    stream.held--;
}

const char *__wrap_rd_kafka_message_errstr(const rd_kafka_message_t *message)
{
    return stream.of ? rd_kafka_err2str(message->err) : __real_rd_kafka_message_errstr(message);
}

int64_t __wrap_rd_kafka_message_timestamp(const rd_kafka_message_t *message,
                                          rd_kafka_timestamp_type_t *type)
{
    return stream.of ? -1 : __real_rd_kafka_message_timestamp(message, type);
}

const char *__wrap_rd_kafka_topic_name(const rd_kafka_topic_t *topic)
{
    return stream.of ? the_topic : __real_rd_kafka_topic_name(topic);
}

static rd_kafka_headers_t *headers_of(const struct record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *header = &record->headers[i];
        rd_kafka_header_add(headers, header->name.ptr, (ssize_t)header->name.len, header->value.ptr,
                            (ssize_t)header->value.len);
    }
    return headers;
}

rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message,
                                                    rd_kafka_headers_t **headers)
{
    /* It fails for a record whose headers are broken, and then always: that one is quarantined. */
    if (!stream.of)
        return __real_rd_kafka_message_headers(message, headers);
    struct held *held = held_of(message);
    if (!held->record || held->record->header_count == 0)
        return RD_KAFKA_RESP_ERR__NOENT;
    failing_exempt(true);
    if (!held->headers)
        held->headers = headers_of(held->record);
    failing_exempt(false);
    *headers = held->headers;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t __wrap_rd_kafka_message_detach_headers(rd_kafka_message_t *message,
                                                           rd_kafka_headers_t **headers)
{
    if (turn("rd_kafka_message_detach_headers", 1) >= 0)
        return RD_KAFKA_RESP_ERR__NOENT;
    if (!stream.of)
        return __real_rd_kafka_message_detach_headers(message, headers);
    struct held *held = held_of(message);
    *headers = held->headers;
    held->headers = NULL;
    return *headers ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__NOENT;
}
