/* A Kafka record, without librdkafka: what codecs read and write. */
#ifndef COMMON_KAFKA_RECORD_H
#define COMMON_KAFKA_RECORD_H

#include <stdint.h>

#include "common/base/span.h"

#define RECORD_HEADERS_LIMIT    64
#define RECORD_HEADERS_TOO_MANY "the record has too many headers" /* why it is refused */

struct record_header {
    struct span name, value; /* value.ptr NULL: a header without value */
};

struct record {
    struct span topic;
    int32_t partition;    /* -1: by key */
    int64_t offset;       /* of a consumed record */
    int64_t timestamp_ms; /* of a consumed record; -1: none */
    struct span key;      /* ptr NULL: none */
    struct span value;    /* ptr NULL: none (a tombstone) */
    const struct record_header *headers;
    size_t header_count;
};

/* The last header of that name, absent where there is none. */
struct span record_header_value(const struct record *record, const char *name);

#endif
