/*
 * What keeps a client from Kafka, sorted by what somebody has to do about it: one table
 * of words for readiness, advice for the log and causes for the metric
 * throughline_kafka_trouble{cause="…"}. For the files kafka_* only; thread-safe.
 */
#ifndef COMMON_KAFKA_KAFKA_TROUBLE_H
#define COMMON_KAFKA_KAFKA_TROUBLE_H

#include <librdkafka/rdkafka.h>

enum kafka_trouble {
    KAFKA_TROUBLE_NONE,
    KAFKA_TROUBLE_AWAY,        /* no broker answers */
    KAFKA_TROUBLE_NAME,        /* a broker's host name is not known */
    KAFKA_TROUBLE_CREDENTIALS, /* the broker refuses who we are */
    KAFKA_TROUBLE_TLS,
    KAFKA_TROUBLE_TOPIC,      /* a topic is not there */
    KAFKA_TROUBLE_LEADER,     /* a topic is there, but no broker leads it */
    KAFKA_TROUBLE_PERMISSION, /* we may not use a topic or the group */
    KAFKA_TROUBLE_KINDS
};

/* What an error means. NONE for what librdkafka settles by itself. */
enum kafka_trouble kafka_trouble_of(rd_kafka_resp_err_t error);

/* "Kafka: no broker answers". Static; NULL for NONE. */
const char *kafka_trouble_words(enum kafka_trouble trouble);

/* Made at start, so that the metric is there before there is any trouble. */
void kafka_trouble_metrics(void);

/* A client or a topic goes from one state to another: the metric follows and the log tells, once,
 * cause and remedy. `topic` and `error` may be NULL. Nothing where both are the same. */
void kafka_trouble_change(enum kafka_trouble from, enum kafka_trouble to, const char *topic,
                          const char *error);

/* Who had it is no more: of the metric only. */
void kafka_trouble_leave(enum kafka_trouble trouble);

#endif
