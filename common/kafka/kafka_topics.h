/*
 * Topics: which of those that are wanted there are, how they are set, and making those that are
 * missing (over librdkafka's admin API). Never changes or deletes one. Judges nothing. One thread.
 */
#ifndef COMMON_KAFKA_KAFKA_TOPICS_H
#define COMMON_KAFKA_KAFKA_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kafka/kafka_admin.h"

struct kafka_topic {
    char name[250]; /* the caller's; Kafka's bound is 249 */
    bool exists;
    bool made;       /* by kafka_topics_make */
    char error[256]; /* why it was not made, or why its settings are not told; "": nothing */

    int partitions;
    int leaderless; /* of them, without a leader */
    int replicas;   /* of the partition that has the fewest */

    bool settings_known;       /* those below were told */
    int64_t retention_ms;      /* -1: for ever */
    int64_t retention_bytes;   /* of a partition; -1: no bound */
    int64_t max_message_bytes; /* of a batch of records, as producers send them */
    int min_insync;            /* replicas that acks=all waits for */
    char cleanup_policy[32];   /* "delete", "compact", "compact,delete" */
};

struct kafka_topic_plan {
    int partitions;
    int replicas; /* 0: as the brokers' default.replication.factor says (Kafka 2.4) */
    int64_t retention_ms, max_message_bytes;
    int min_insync; /* 0: as the brokers' min.insync.replicas says */
};

/* All below: within `ms`, ERR_BUSY when the brokers do not answer in time (kafka_admin_why), or
 * ERR_STOPPED. */

/* Sets `exists`, partitions, leaders and replicas of each. A topic that the user may not see looks
 * like one that is missing. */
int kafka_topics_look(struct kafka_admin *admin, struct kafka_topic *topics, size_t count,
                      int ms) CHECKED;

/* Makes each that does not exist, as planned and with cleanup.policy=delete, and waits until its
 * partitions have leaders. `exists` and `made`, or `error`, say what became of it; one that
 * somebody else has made meanwhile exists, and is not `made`. */
int kafka_topics_make(struct kafka_admin *admin, const struct kafka_topic_plan *plan,
                      struct kafka_topic *topics, size_t count, int ms) CHECKED;

/* Sets `settings_known` and the settings, or `error`, of each that exists. */
int kafka_topics_settings(struct kafka_admin *admin, struct kafka_topic *topics, size_t count,
                          int ms) CHECKED;

#endif
