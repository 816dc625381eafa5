/*
 * Keeps an eye on Kafka for a client, from a thread of its own: does a broker
 * answer, are the topics known? What is wrong is told once when it begins and once when it is
 * over (kafka_trouble.h), however often librdkafka tries meanwhile. Asking for a topic's metadata
 * also warms it up: the first record of an unknown topic may wait a second (librdkafka 2.0.2).
 */
#ifndef COMMON_KAFKA_KAFKA_WATCH_H
#define COMMON_KAFKA_KAFKA_WATCH_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "common/kafka/kafka_trouble.h"

struct kafka_watch;

/* Of a client that lives through fatal errors (a consumer has none: NULL). Called on the watch's
 * thread after a fatal error: a new client in place of
 * the old one, or NULL (tried again a little later). The old one must not be
 * destroyed before `released` has been called for it. */
struct kafka_watch_owner {
    rd_kafka_t *(*replace)(void *context);
    void (*released)(void *context);
    void *context;
};

/* The client's callbacks need the watch, and its thread needs the client: so the
 * watch is made first and started when the client is there. */
int kafka_watch_new(const struct kafka_watch_owner *owner, struct kafka_watch **out) CHECKED;
int kafka_watch_start(struct kafka_watch *watch, rd_kafka_t *kafka) CHECKED;

/* Ends the thread; afterwards the client may be destroyed, then the watch freed. */
void kafka_watch_stop(struct kafka_watch *watch);
void kafka_watch_free(struct kafka_watch *watch); /* NULL is fine */

/* What the client's callbacks saw; any thread, waits for nothing. */
void kafka_watch_contact(struct kafka_watch *watch); /* a broker answered */
void kafka_watch_trouble(struct kafka_watch *watch); /* look at once */
void kafka_watch_fatal(struct kafka_watch *watch);   /* the client is done for */
/* What librdkafka's error callback said: look at once, and should no broker answer, this is why. */
void kafka_watch_error(struct kafka_watch *watch, rd_kafka_resp_err_t error, const char *reason);

/* No broker has answered for some seconds, and the last look failed. */
bool kafka_watch_away(struct kafka_watch *watch);

/* What is wrong with the connection, or else with one of the topics asked for so far. */
enum kafka_trouble kafka_watch_now(struct kafka_watch *watch);

/* See kafka_producer_ready. */
bool kafka_watch_ready(struct kafka_watch *watch, const char *topic, char *why, size_t why_size);

#endif
