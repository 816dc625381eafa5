/* Whether a topic is as it should be, and what mends it. Pure. */
#ifndef SERVICES_CLI_TOPICS_JUDGE_H
#define SERVICES_CLI_TOPICS_JUDGE_H

#include "common/kafka/kafka_topics.h"

#define TOPIC_DIFFERENCES 8 /* most of one topic */

struct topic_difference {
    bool error; /* events are refused or lost by it; else it is only slower, or less safe */
    const char *setting;
    char is[80], should[80];
    char why[128];
    char mend[640]; /* a command of Kafka's own tools, or what to do */
};

/* What Kafka's retention is in people's words: "7d", "90s", "for ever" (-1). */
void topic_duration(int64_t ms, char text[32]);

/* What differs from the plan, errors first; how many. More than planned of partitions, retention,
 * size or replicas is no difference. Of a topic that exists, and whose settings are known, all is
 * judged; of one without settings its partitions. `brokers` stands in the commands. */
size_t topic_differences(const struct kafka_topic *topic, const struct kafka_topic_plan *plan,
                         const char *brokers, struct topic_difference found[TOPIC_DIFFERENCES]);

/* The command that makes it as planned. */
void topic_make_command(const char *name, const struct kafka_topic_plan *plan, const char *brokers,
                        char *command, size_t size);

#endif
