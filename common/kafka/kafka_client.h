/*
 * One librdkafka producer and the thread that serves its callbacks. The
 * kafka_producer owns one; two for a while, when a fatal error has ended the
 * old one and its last deliveries are still to be told.
 */
#ifndef COMMON_KAFKA_KAFKA_CLIENT_H
#define COMMON_KAFKA_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/base/error.h"

struct kafka_client {
    rd_kafka_t *kafka;
    pthread_t thread;
    atomic_bool ending;
};

/* Takes `conf`, whatever the answer. */
int kafka_client_open(rd_kafka_conf_t *conf, struct kafka_client **out) CHECKED;

/* Waits at most `ms` for what is outstanding, then fails it: every record gets
 * its delivery report, on the client's thread or on this one. Nobody may send
 * meanwhile. NULL is fine. */
void kafka_client_close(struct kafka_client *client, int ms);

#endif
