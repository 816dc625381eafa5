#include "common/kafka/kafka_consumer.h"

#include <librdkafka/rdkafka.h>

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
