#include "services/aggregator/topic_lag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct topic_lag *topic_lag_new(const char *const *topics)
{
    size_t count = 0;
    while (topics[count])
        count++;
    struct topic_lag *lags = calloc(count + 1, sizeof *lags);
    for (size_t i = 0; lags && i < count; i++) {
        char label[300];
        snprintf(label, sizeof label, "topic=\"%s\"", topics[i]);
        lags[i].topic = strdup(topics[i]);
        if (!lags[i].topic) {
            topic_lag_free(lags);
            return NULL;
        }
        lags[i].records = metric_gauge("throughline_lag_records", label,
                                       "Records that Kafka has and that were not read yet; of the "
                                       "aggregator that watches.");
        lags[i].seconds = metric_gauge("throughline_lag_seconds", label,
                                       "How long ago it was that all which Kafka had then has been "
                                       "read by now; of the aggregator that watches.");
    }
    return lags;
}

void topic_lag_free(struct topic_lag *lags)
{
    for (struct topic_lag *lag = lags; lag && lag->topic; lag++) {
        judgement_free(&lag->judgement);
        free(lag->topic);
    }
    free(lags);
}

/* The topic's part; false without memory. */
static bool part_of(const struct kafka_cluster *cluster, const char *topic,
                    struct kafka_cluster *part)
{
    *part = (struct kafka_cluster){.brokers = cluster->brokers};
    part->partitions = calloc(cluster->count + 1, sizeof *part->partitions);
    if (!part->partitions)
        return false;
    for (size_t i = 0; i < cluster->count; i++)
        if (strcmp(cluster->partitions[i].topic, topic) == 0)
            part->partitions[part->count++] = cluster->partitions[i];
    return true;
}

static int64_t unread(const struct kafka_watermarks *partition,
                      const struct judgement_position *positions, size_t count)
{
    int64_t from = partition->low;
    for (size_t i = 0; i < count; i++)
        if (positions[i].partition == partition->partition && positions[i].next > from &&
            strcmp(positions[i].topic, partition->topic) == 0)
            from = positions[i].next;
    return partition->high > from ? partition->high - from : 0;
}

static void look_at(struct topic_lag *lag, int64_t now_us, const struct kafka_cluster *cluster,
                    const struct judgement_position *positions, size_t count)
{
    struct kafka_cluster part;
    const struct kafka_watermarks *behind;
    int64_t records = 0;
    if (!part_of(cluster, lag->topic, &part))
        return;
    for (size_t i = 0; i < part.count; i++)
        records += unread(&part.partitions[i], positions, count);
    metric_set(lag->records, records);
    judgement_look(&lag->judgement, now_us, &part, positions, count, &behind);
}

void topic_lag_look(struct topic_lag *lags, int64_t now_us, const struct kafka_cluster *cluster,
                    const struct judgement_position *positions, size_t count)
{
    for (struct topic_lag *lag = lags; lag->topic; lag++) {
        if (cluster)
            look_at(lag, now_us, cluster, positions, count);
        if (!lag->began_us)
            lag->began_us = now_us;
        int64_t since = lag->judgement.until_us  ? lag->judgement.until_us
                        : lag->judgement.kept_us ? lag->judgement.kept_us
                                                 : lag->began_us;
        metric_set(lag->seconds, (now_us - since) / 1000000);
    }
}

void topic_lag_clear(struct topic_lag *lags)
{
    for (struct topic_lag *lag = lags; lag->topic; lag++) {
        judgement_free(&lag->judgement);
        lag->judgement = (struct judgement){0};
        lag->began_us = 0;
        metric_set(lag->records, 0);
        metric_set(lag->seconds, 0);
    }
}
