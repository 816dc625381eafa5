/*
 * Reading partitions from where the caller says.
 *
 * A consumer is a member of a group; Kafka tells it which partitions are its
 * own; the listener says where to begin in each. What the group has noted with
 * Kafka is told only to a listener that wants to know: the aggregator's offsets
 * are kept in the database. An offset out of range is never skipped
 * over: the partition stops and the caller is told.
 *
 * One thread: listener calls come from inside kafka_consumer_poll and
 * kafka_consumer_close. What is fetched ahead is bounded by option fetch_bytes.
 */
#ifndef COMMON_KAFKA_KAFKA_CONSUMER_H
#define COMMON_KAFKA_KAFKA_CONSUMER_H

#include "common/base/arena.h"
#include "common/base/config.h"
#include "common/kafka/record.h"

struct kafka_consumer;

struct kafka_partition {
    char topic[250]; /* Kafka's own limit is 249 */
    int32_t partition;
    int64_t low_watermark; /* the oldest offset the broker still has; -1: it does not tell */
    int64_t noted;         /* by the group, with kafka_consumer_note; -1: nothing, or not asked */
    int64_t offset;        /* the listener's answer: where to begin */
};

struct kafka_listener {
    void *context;
    /* These partitions are ours from now on. Sets every `offset`. Anything but
     * 0 makes poll return that code; the consumer is then to be closed. */
    int (*assigned)(void *context, struct kafka_partition *partitions, size_t count);
    /* None is ours any more. `lost`: somebody else may have them already. */
    void (*revoked)(void *context, bool lost);
};

struct kafka_reading { /* all borrowed, for the time of the call */
    const char *group;
    const char *const
        *topics;     /* ends with NULL; those that do not exist yet are joined once they do */
    bool from_noted; /* ask at each assignment what the group has noted; where Kafka does not
                        answer, poll returns ERR_BUSY */
};

enum kafka_happening {
    KAFKA_NOTHING, /* nothing came within the time */
    KAFKA_RECORD,
    KAFKA_END,          /* topic and partition were read up to `offset` (the next to come) */
    KAFKA_OUT_OF_RANGE, /* the broker does not have the offset that was asked for; that
                           partition is not read any further */
    KAFKA_UNREADABLE,   /* what the broker has from about `offset` on is damaged, or in a form that
                           librdkafka cannot read; it would go on behind it */
};

struct kafka_message {
    enum kafka_happening happening;
    struct record record; /* points into librdkafka's memory until kafka_message_release */
    const char *error;    /* of the last two: why, in words; lives as long as `record` */
    bool headers_cut;     /* there were more than RECORD_HEADERS_LIMIT */
    struct record_header headers[RECORD_HEADERS_LIMIT];
    void *handle;
};

/* The settings that the configuration makes, without connecting: for --check. Fault pointers begin
 * with "/kafka/". */
int kafka_consumer_check(const struct config *config, struct fault *fault) CHECKED;

int kafka_consumer_open(const struct config *config, const struct kafka_reading *reading,
                        const struct kafka_listener *listener, struct kafka_consumer **out) CHECKED;

/* Waits at most `ms`. 0, or what the listener failed with; ERR_IO for a fatal
 * error: close and open again. Release every message, also after KAFKA_NOTHING. */
int kafka_consumer_poll(struct kafka_consumer *consumer, int ms,
                        struct kafka_message *message) CHECKED;
void kafka_message_release(struct kafka_message *message);

/* All headers of a message, however many, where headers_cut says that there are more than in its
 * record. NULL without memory. */
const struct record_header *kafka_message_headers(const struct kafka_message *message,
                                                  struct arena *arena, size_t *count);

/* What keeps the consumer from Kafka, or from one of its topics, for people to read; NULL: nothing.
 * Static text; the log has told more. */
const char *kafka_consumer_trouble(const struct kafka_consumer *consumer);

/* Keeps a message beyond its release, in little memory: its headers, and what points into
 * them, are gone until it is viewed. The handle is to be dropped (NULL is fine);
 * viewing it fills `message` anew, which needs no release. */
void *kafka_message_keep(struct kafka_message *message);
void kafka_message_view(void *handle, struct kafka_message *message);
void kafka_message_drop(void *handle);

/* Reads on from `offset` in these partitions, which must be assigned; what was fetched of them is
 * forgotten. ERR_BUSY: close and open again. */
int kafka_consumer_seek(struct kafka_consumer *consumer, const struct kafka_partition *partitions,
                        size_t count) CHECKED;

/* Stops or restarts the flow of these partitions, which must be assigned; what was fetched of them
 * may still come. */
void kafka_consumer_pause(struct kafka_consumer *consumer, const struct kafka_partition *partitions,
                          size_t count, bool pause);

/* Tells Kafka, without waiting, that everything before `offset` is done: for lag tools, and for the
 * next one who reads from what was noted. It may get lost on its way. */
void kafka_consumer_note(struct kafka_consumer *consumer, const struct kafka_partition *partitions,
                         size_t count);

/* Leaves the group (bounded), which revokes what was assigned. NULL is fine. */
void kafka_consumer_close(struct kafka_consumer *consumer);

#endif
