/* How old a record is, without reading it: the brokers find the first record since a moment. */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/kafka/kafka_admin_internal.h"

#define STEPS 20 /* of a search for whole seconds in 2^20 of them, 12 days */

/* Half an open interval: younger than `most` seconds, at least `least`. */
struct bounds {
    int64_t least, most;
};

/* A record at `low`, or behind it, that was written since then? */
static bool is_older(const rd_kafka_topic_partition_t *answer, const struct kafka_watermarks *place)
{
    return answer->offset < 0 || answer->offset > place->low;
}

static int narrow(struct kafka_admin *admin, const struct kafka_cluster *cluster, int64_t now_ms,
                  int64_t deadline, struct bounds *bounds)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)cluster->count);
    for (size_t i = 0; i < cluster->count; i++) {
        int64_t middle = (bounds[i].least + bounds[i].most) / 2;
        rd_kafka_topic_partition_list_add(list, cluster->partitions[i].topic,
                                          cluster->partitions[i].partition)
            ->offset = now_ms - middle * 1000;
    }
    int rc = kafka_admin_ask(admin, deadline, KAFKA_ADMIN_STEP_MS, kafka_admin_offsets, list);
    for (size_t i = 0; i < cluster->count && rc == 0; i++) {
        int64_t middle = (bounds[i].least + bounds[i].most) / 2;
        if (is_older(&list->elems[i], &cluster->partitions[i]))
            bounds[i].least = middle;
        else
            bounds[i].most = middle;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

int kafka_admin_ages(struct kafka_admin *admin, const struct kafka_cluster *cluster, int ms,
                     int64_t *ages)
{
    int64_t deadline = clock_monotonic_ms() + ms;
    int64_t now_ms = clock_wall_us() / 1000;
    int rc = 0;
    admin->why[0] = '\0';
    struct bounds *bounds = calloc(cluster->count + 1, sizeof *bounds);
    if (!bounds)
        return ERR_MEMORY;
    for (size_t i = 0; i < cluster->count; i++)
        bounds[i].most = INT64_C(1) << STEPS;
    for (int step = 0; step < STEPS && rc == 0 && cluster->count > 0; step++)
        rc = narrow(admin, cluster, now_ms, deadline, bounds);
    for (size_t i = 0; i < cluster->count; i++)
        ages[i] = bounds[i].least * 1000;
    free(bounds);
    return rc;
}
