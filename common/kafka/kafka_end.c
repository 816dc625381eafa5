#include "common/kafka/kafka_end.h"

#include <pthread.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/metrics.h"

#define END_MS 5000

/* A consumer has left its group, or has been waited for long enough: it is not closed again. */
static void *destroy(void *client)
{
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

static struct metric *left_behind_metric(void)
{
    return metric_counter("throughline_kafka_clients_left_behind_total", NULL,
                          "Kafka clients that librdkafka could not end, a fault of its own");
}

void kafka_end_metrics(void)
{
    metric_add(left_behind_metric(), 0);
}

void kafka_end(rd_kafka_t *client)
{
    pthread_t thread;
    struct metric *left_behind = left_behind_metric();
    if (pthread_create(&thread, NULL, destroy, client) != 0) {
        destroy(client);
        return;
    }
    struct timespec until = clock_monotonic_after(END_MS);
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0)
        return;
    pthread_detach(thread);
    metric_add(left_behind, 1);
    log_warn("librdkafka does not end a client that is closed: it is left behind",
             LOG_INT("left_behind", metric_value(left_behind)));
}
