/*
 * Publishing with a promise: an idempotent producer (acks=all) that tells of
 * each record, once, whether Kafka has it.
 *
 * Thread-safe. Callbacks run on the producer's own threads, the last ones in
 * kafka_producer_close, and must not block.
 * Bounded: messages and bytes waiting (options publish_queue_*), time waiting
 * (publish_timeout). After a fatal error of the idempotent producer it is
 * flushed and made anew, without the callers noticing more than ERR_BUSY.
 */
#ifndef COMMON_KAFKA_KAFKA_PRODUCER_H
#define COMMON_KAFKA_KAFKA_PRODUCER_H

#include "common/base/config.h"
#include "common/kafka/record.h"

struct kafka_producer;

/* result: 0 when all in-sync replicas have it; ERR_BUSY when it is not known to
 * be stored (it may be: the sender repeats it and the duplicate is recognised);
 * ERR_LIMIT when the broker refuses it as too large. */
typedef void kafka_delivered(void *opaque, int result);

/* The settings that the configuration makes, without connecting: for --check.
 * Fault pointers begin with "/kafka/". */
int kafka_producer_check(const struct config *config, struct fault *fault) CHECKED;

/* `config` must outlive the producer. Succeeds without a broker. ERR_INVALID
 * (logged), ERR_MEMORY, ERR_IO. */
int kafka_producer_open(const struct config *config, struct kafka_producer **out) CHECKED;

/* Copies the record; its offset and timestamp do not count. ERR_BUSY when the queue is full or the
 * broker is known to be away; ERR_LIMIT when it is larger than message.max.bytes. With any non-zero
 * answer `delivered` is not called. */
int kafka_producer_send(struct kafka_producer *producer, const struct record *record,
                        kafka_delivered *delivered, void *opaque) CHECKED;

/* The topic's metadata is known and a broker answers. Looks at what the
 * background thread last saw; does not wait. `why` (may be NULL) gets a text. */
bool kafka_producer_ready(struct kafka_producer *producer, const char *topic, char *why,
                          size_t why_size);

/* Waits for outstanding records at most `ms`, then fails them, then frees. NULL is fine. */
void kafka_producer_close(struct kafka_producer *producer, int ms);

#endif
