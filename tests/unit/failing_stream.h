/*
 * A Kafka for the tests of the commit path: what librdkafka's consumer tells kafka_consumer.c, from
 * a list of records, without a broker and without waiting. While no stream is open its calls, and
 * stop_requested and stop_wait, are the real ones.
 */
#ifndef TESTS_UNIT_FAILING_STREAM_H
#define TESTS_UNIT_FAILING_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kafka/record.h"

#define STREAM_PARTITIONS 2
#define STREAM_TOPIC      "events.sales"

struct failing_stream {
    const struct record *records; /* of a partition in the order of their offsets */
    size_t count;
    int64_t end[STREAM_PARTITIONS]; /* the next offset that would be written */
    /* Asked when nothing is left to read: is all that was read dealt with? Then stop. */
    bool (*done)(void);
};

void failing_stream_open(const struct failing_stream *stream);
void failing_stream_close(void);

/* Of the last consumer: the furthest offset that Kafka was told of; messages not given back. */
int64_t failing_stream_noted(int partition);
size_t failing_stream_held(void);

#endif
