#include "services/cli/topics_judge.h"

#include <stdio.h>
#include <string.h>

/* What is found, in two rows: errors are told first. */
struct findings {
    const struct kafka_topic *topic;
    const char *brokers;
    struct topic_difference *found;
    size_t count, errors;
};

void topic_duration(int64_t ms, char text[32])
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    if (ms < 0) {
        snprintf(text, 32, "for ever");
        return;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (ms % units[i].ms != 0 || (ms == 0 && units[i].ms > 1))
            continue;
        snprintf(text, 32, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
        return;
    }
}

static struct topic_difference *add(struct findings *findings, bool error, const char *setting,
                                    const char *why)
{
    size_t at = error ? findings->errors++ : findings->count;
    struct topic_difference *found = findings->found;
    memmove(&found[at + 1], &found[at], (findings->count - at) * sizeof *found);
    findings->count++;
    found[at] = (struct topic_difference){.error = error, .setting = setting};
    snprintf(found[at].why, sizeof found[at].why, "%s", why);
    return &found[at];
}

static void set_config(const struct findings *findings, struct topic_difference *difference,
                       const char *value)
{
    snprintf(difference->mend, sizeof difference->mend,
             "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s "
             "--add-config %s=%s",
             findings->brokers, findings->topic->name, difference->setting, value);
}

static void judge_size(struct findings *findings, const struct kafka_topic_plan *plan)
{
    char value[24];
    if (findings->topic->max_message_bytes >= plan->max_message_bytes)
        return;
    struct topic_difference *found =
        add(findings, true, "max.message.bytes", "larger records are refused");
    snprintf(value, sizeof value, "%lld", (long long)plan->max_message_bytes);
    snprintf(found->is, sizeof found->is, "%lld", (long long)findings->topic->max_message_bytes);
    snprintf(found->should, sizeof found->should, "at least %s", value);
    set_config(findings, found, value);
}

static void judge_cleanup(struct findings *findings)
{
    const struct kafka_topic *topic = findings->topic;
    if (!strstr(topic->cleanup_policy, "compact"))
        return;
    struct topic_difference *found = add(findings, true, "cleanup.policy",
                                         "compaction takes away all but the last event of a key");
    snprintf(found->is, sizeof found->is, "%s", topic->cleanup_policy);
    snprintf(found->should, sizeof found->should, "delete");
    set_config(findings, found, "delete");
}

static void judge_retention(struct findings *findings, const struct kafka_topic_plan *plan)
{
    const struct kafka_topic *topic = findings->topic;
    char value[24], text[32];
    if (topic->retention_ms >= 0 && topic->retention_ms < plan->retention_ms) {
        struct topic_difference *found =
            add(findings, true, "retention.ms", "what nobody has read by then is lost");
        topic_duration(topic->retention_ms, text);
        snprintf(found->is, sizeof found->is, "%lld (%s)", (long long)topic->retention_ms, text);
        topic_duration(plan->retention_ms, text);
        snprintf(value, sizeof value, "%lld", (long long)plan->retention_ms);
        snprintf(found->should, sizeof found->should, "at least %s (%s)", value, text);
        set_config(findings, found, value);
    }
    if (topic->retention_bytes >= 0) {
        struct topic_difference *found = add(findings, false, "retention.bytes",
                                             "what is beyond that goes earlier than retention.ms");
        snprintf(found->is, sizeof found->is, "%lld", (long long)topic->retention_bytes);
        snprintf(found->should, sizeof found->should, "-1, no bound");
        set_config(findings, found, "-1");
    }
}

/* Acknowledged by all, that is by min.insync.replicas of them at least. */
static void judge_insync(struct findings *findings, const struct kafka_topic_plan *plan)
{
    const struct kafka_topic *topic = findings->topic;
    int least = plan->min_insync ? plan->min_insync : 1;
    char value[24];
    struct topic_difference *found = NULL;
    if (topic->min_insync > topic->replicas) {
        found = add(findings, true, "min.insync.replicas",
                    "with fewer replicas than that nobody can write");
        least = topic->replicas;
        snprintf(found->should, sizeof found->should, "at most %d, its replicas", least);
    } else if (topic->min_insync < least) {
        found = add(findings, false, "min.insync.replicas",
                    "what so few replicas have may be lost with them");
        snprintf(found->should, sizeof found->should, "at least %d", least);
    }
    if (!found)
        return;
    snprintf(found->is, sizeof found->is, "%d", topic->min_insync);
    snprintf(value, sizeof value, "%d", least);
    set_config(findings, found, value);
}

static void judge_partitions(struct findings *findings, const struct kafka_topic_plan *plan)
{
    const struct kafka_topic *topic = findings->topic;
    if (topic->partitions >= plan->partitions)
        return;
    struct topic_difference *found =
        add(findings, false, "partitions", "fewer writers can share them out");
    snprintf(found->is, sizeof found->is, "%d", topic->partitions);
    snprintf(found->should, sizeof found->should, "%d", plan->partitions);
    snprintf(found->mend, sizeof found->mend,
             "kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d",
             findings->brokers, topic->name, plan->partitions);
}

static void judge_replicas(struct findings *findings, const struct kafka_topic_plan *plan)
{
    const struct kafka_topic *topic = findings->topic;
    if (topic->replicas >= plan->replicas)
        return;
    struct topic_difference *found =
        add(findings, false, "replication factor", "fewer brokers may be lost before events are");
    snprintf(found->is, sizeof found->is, "%d", topic->replicas);
    snprintf(found->should, sizeof found->should, "%d", plan->replicas);
    snprintf(found->mend, sizeof found->mend,
             "kafka-reassign-partitions.sh --bootstrap-server %s --execute "
             "--reassignment-json-file FILE, which names %d brokers for each partition of %s",
             findings->brokers, plan->replicas, topic->name);
}

size_t topic_differences(const struct kafka_topic *topic, const struct kafka_topic_plan *plan,
                         const char *brokers, struct topic_difference found[TOPIC_DIFFERENCES])
{
    struct findings findings = {topic, brokers, found, 0, 0};
    if (!topic->exists)
        return 0;
    if (topic->settings_known) {
        judge_size(&findings, plan);
        judge_cleanup(&findings);
        judge_retention(&findings, plan);
        judge_insync(&findings, plan);
    }
    judge_partitions(&findings, plan);
    judge_replicas(&findings, plan);
    return findings.count;
}

void topic_make_command(const char *name, const struct kafka_topic_plan *plan, const char *brokers,
                        char *command, size_t size)
{
    char replicas[40] = "", insync[60] = "";
    if (plan->replicas > 0)
        snprintf(replicas, sizeof replicas, " --replication-factor %d", plan->replicas);
    if (plan->min_insync > 0)
        snprintf(insync, sizeof insync, " --config min.insync.replicas=%d", plan->min_insync);
    snprintf(command, size,
             "kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions %d%s "
             "--config cleanup.policy=delete --config retention.ms=%lld --config "
             "max.message.bytes=%lld%s",
             brokers, name, plan->partitions, replicas, (long long)plan->retention_ms,
             (long long)plan->max_message_bytes, insync);
}
