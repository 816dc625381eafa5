/*
 * Looking at the brokers from outside: which partitions there are, and how far
 * they go. Makes no topics, joins no group, consumes nothing. One thread.
 */
#ifndef COMMON_KAFKA_KAFKA_ADMIN_H
#define COMMON_KAFKA_KAFKA_ADMIN_H

#include "common/base/config.h"

struct kafka_admin;

struct kafka_watermarks {
    char topic[250]; /* Kafka's bound is 249 */
    int32_t partition;
    int64_t low;  /* the oldest offset that is still there */
    int64_t high; /* the offset that the next record will get */
};

struct kafka_cluster {
    int brokers;                         /* that answered or are known of */
    struct kafka_watermarks *partitions; /* by topic and number */
    size_t count;
};

/* The settings that the configuration makes, without connecting. Fault pointers begin with
 * "/kafka/". */
int kafka_admin_check(const struct config *config, struct fault *fault) CHECKED;

/* Does not wait for a broker. ERR_INVALID: a setting is wrong. */
int kafka_admin_open(const struct config *config, struct kafka_admin **out,
                     struct fault *fault) CHECKED;
void kafka_admin_close(struct kafka_admin *admin); /* NULL is fine */

/* The partitions of the topics whose names begin with `prefix`, with their
 * watermarks, all within `ms`. ERR_BUSY when the brokers do not answer in time
 * (not logged: kafka_admin_why says why, and the caller decides); ERR_STOPPED.
 * The caller frees with kafka_cluster_free. */
int kafka_admin_look(struct kafka_admin *admin, const char *prefix, int ms,
                     struct kafka_cluster *cluster) CHECKED;

/* For each partition of `cluster` the first offset of a record at or after the time (ms since
 * 1970), -1 where there is none, into offsets[i]; all within `ms`. ERR_BUSY, ERR_STOPPED as above.
 */
int kafka_admin_find_time(struct kafka_admin *admin, const struct kafka_cluster *cluster,
                          int64_t time_ms, int ms, int64_t *offsets) CHECKED;

/* For each partition of `cluster`, how long ago (ms, to the second) the record at its `low`, or the
 * first one behind it, was written, into ages[i]; all within `ms`. By the times that records bear,
 * up to 12 days. ERR_BUSY, ERR_STOPPED as above. */
int kafka_admin_ages(struct kafka_admin *admin, const struct kafka_cluster *cluster, int ms,
                     int64_t *ages) CHECKED;
void kafka_cluster_free(struct kafka_cluster *cluster);

/* Why the last look failed. Never NULL. */
const char *kafka_admin_why(const struct kafka_admin *admin);

#endif
