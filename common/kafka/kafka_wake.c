#include "common/kafka/kafka_wake.h"

/* A leader that does not answer has nothing to be fetched either. */
#define TIMEOUT_MS 100

bool kafka_wake_setting_known(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char value[16];
    size_t size = sizeof value;
    bool known = rd_kafka_conf_get(conf, FETCH_QUEUE_BACKOFF, value, &size) == RD_KAFKA_CONF_OK;
    rd_kafka_conf_destroy(conf);
    return known;
}

void kafka_wake_assign(struct kafka_wake *wake, const rd_kafka_topic_partition_list_t *list)
{
    if (wake->partitions)
        rd_kafka_topic_partition_list_destroy(wake->partitions);
    wake->partitions = NULL;
    if (list && list->cnt > 0 && !kafka_wake_setting_known())
        wake->partitions = rd_kafka_topic_partition_list_copy(list);
    wake->read = 0;
}

void kafka_wake_read(struct kafka_wake *wake, size_t bytes)
{
    wake->read += bytes;
    if (wake->read < wake->every || !wake->partitions)
        return;
    wake->read = 0;
    for (int i = 0; i < wake->partitions->cnt; i++)
        wake->partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
    /* What comes back, the ends of the partitions, is of no interest, nor is a failure. */
    rd_kafka_offsets_for_times(wake->rk, wake->partitions, TIMEOUT_MS);
}
