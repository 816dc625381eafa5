#include "services/aggregator/judgement.h"

#include <stdlib.h>
#include <string.h>

void judgement_free(struct judgement *judgement)
{
    kafka_cluster_free(&judgement->kept);
}

static int compare(const char *topic, int32_t partition, const char *other_topic,
                   int32_t other_partition)
{
    int order = strcmp(topic, other_topic);
    return order ? order : (partition > other_partition) - (partition < other_partition);
}

static int with_position(const void *key, const void *element)
{
    const struct kafka_watermarks *partition = key;
    const struct judgement_position *position = element;
    return compare(partition->topic, partition->partition, position->topic, position->partition);
}

static int with_watermarks(const void *key, const void *element)
{
    const struct kafka_watermarks *partition = key, *other = element;
    return compare(partition->topic, partition->partition, other->topic, other->partition);
}

/* Of a partition that nobody has read everything waits that is there. */
static bool is_read(const struct kafka_watermarks *partition,
                    const struct judgement_position *positions, size_t count)
{
    const struct judgement_position *position =
        count == 0 ? NULL : bsearch(partition, positions, count, sizeof *positions, with_position);
    return position ? position->next >= partition->high : partition->high <= partition->low;
}

static const struct kafka_watermarks *first_behind(const struct kafka_cluster *cluster,
                                                   const struct judgement_position *positions,
                                                   size_t count)
{
    for (size_t i = 0; i < cluster->count; i++)
        if (!is_read(&cluster->partitions[i], positions, count))
            return &cluster->partitions[i];
    return NULL;
}

/* A topic that was deleted, or made anew, will never reach the end that it had. */
static bool still_there(const struct kafka_cluster *kept, const struct kafka_cluster *now)
{
    for (size_t i = 0; i < kept->count; i++) {
        const struct kafka_watermarks *found =
            now->count == 0 ? NULL
                            : bsearch(&kept->partitions[i], now->partitions, now->count,
                                      sizeof *now->partitions, with_watermarks);
        if (!found || found->high < kept->partitions[i].high)
            return false;
    }
    return true;
}

static void keep(struct judgement *judgement, int64_t now_us, struct kafka_cluster *cluster)
{
    kafka_cluster_free(&judgement->kept);
    judgement->kept = *cluster;
    judgement->kept_us = now_us;
    *cluster = (struct kafka_cluster){0};
}

void judgement_look(struct judgement *judgement, int64_t now_us, struct kafka_cluster *cluster,
                    const struct judgement_position *positions, size_t count,
                    const struct kafka_watermarks **behind)
{
    bool waits = judgement->kept.count > 0 && still_there(&judgement->kept, cluster);
    *behind = first_behind(cluster, positions, count);
    if (!*behind) {
        judgement->until_us = now_us;
        kafka_cluster_free(&judgement->kept);
        kafka_cluster_free(cluster);
        return;
    }
    if (waits) {
        *behind = first_behind(&judgement->kept, positions, count);
        if (*behind) {
            kafka_cluster_free(cluster);
            return;
        }
        judgement->until_us = judgement->kept_us;
    }
    keep(judgement, now_us, cluster);
    *behind = first_behind(&judgement->kept, positions, count);
}
