/* What kafka_admin.c and kafka_topics.c share: the client that looks, and how it asks. */
#ifndef COMMON_KAFKA_KAFKA_ADMIN_INTERNAL_H
#define COMMON_KAFKA_KAFKA_ADMIN_INTERNAL_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdint.h>

#include "common/kafka/kafka_admin.h"

struct kafka_admin {
    rd_kafka_t *client;
    char why[1024];
    pthread_mutex_t lock; /* of `said` */
    char said[512];       /* the client's last complaint */
};

/* Asks once, for at most `ms`. */
typedef rd_kafka_resp_err_t kafka_admin_question(struct kafka_admin *admin, int ms, void *what);

/* Repeats `ask`, each time for at most `step_ms`, until it answers, `deadline` has passed
 * (ERR_BUSY), stop is asked for (ERR_STOPPED), or the brokers cannot do such a thing at all
 * (ERR_BUSY). kafka_admin_why says why. */
int kafka_admin_ask(struct kafka_admin *admin, int64_t deadline, int step_ms,
                    kafka_admin_question *ask, void *what) CHECKED;

/* The cluster's metadata, of all topics: `what` is where it goes (const struct rd_kafka_metadata
 * **), for rd_kafka_metadata_destroy. */
kafka_admin_question kafka_admin_metadata;

/* Offsets of many partitions by one request to each broker: `what` is a list of partitions
 * (rd_kafka_topic_partition_list_t), its offsets are what is asked for (a time in ms,
 * RD_KAFKA_OFFSET_BEGINNING or _END) and then the answer. */
kafka_admin_question kafka_admin_offsets;

#define KAFKA_ADMIN_STEP_MS 1000 /* how long one request goes on after stop was asked for */

#endif
