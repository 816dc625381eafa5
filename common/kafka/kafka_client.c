#include "common/kafka/kafka_client.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define POLL_MS  100
#define PURGE_MS 2000 /* for the reports of what was purged; they need no broker */

static void *serve(void *argument)
{
    struct kafka_client *client = argument;
    while (!atomic_load(&client->ending))
        rd_kafka_poll(client->kafka, POLL_MS);
    return NULL;
}

int kafka_client_open(rd_kafka_conf_t *conf, struct kafka_client **out)
{
    char error[512];
    struct kafka_client *client = calloc(1, sizeof *client);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        return ERR_MEMORY;
    }
    client->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (!client->kafka) {
        log_error("cannot make a Kafka producer", LOG_TEXT("error", error));
        rd_kafka_conf_destroy(conf); /* only a successful rd_kafka_new takes it */
        free(client);
        return ERR_IO;
    }
    int rc = pthread_create(&client->thread, NULL, serve, client);
    if (rc) {
        log_error("cannot start the Kafka producer's thread", LOG_TEXT("error", strerror(rc)));
        rd_kafka_destroy(client->kafka);
        free(client);
        return ERR_IO;
    }
    *out = client;
    return 0;
}

void kafka_client_close(struct kafka_client *client, int ms)
{
    if (!client)
        return;
    rd_kafka_flush(client->kafka, ms);
    if (rd_kafka_outq_len(client->kafka) > 0) {
        rd_kafka_purge(client->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(client->kafka, PURGE_MS);
    }
    int left = rd_kafka_outq_len(client->kafka);
    if (left > 0)
        log_error("Kafka records without a report at the end", LOG_INT("records", left));
    atomic_store(&client->ending, true);
    pthread_join(client->thread, NULL);
    rd_kafka_destroy(client->kafka);
    free(client);
}
