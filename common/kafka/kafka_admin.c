#include "common/kafka/kafka_admin_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/stop.h"
#include "common/kafka/kafka_settings.h"

#define PARTITIONS_LIMIT 10000

/* Of somebody who looks once nobody wants every failed attempt in the log; the last one says why
 * there was no answer better than an error code does. Runs on librdkafka's threads. */
static void keep_complaint(const rd_kafka_t *client, int level, const char *facility,
                           const char *text)
{
    (void)level;
    struct kafka_admin *admin = rd_kafka_opaque(client);
    if (strcmp(facility, "FAIL") != 0)
        return;
    pthread_mutex_lock(&admin->lock);
    snprintf(admin->said, sizeof admin->said, "%s", text);
    pthread_mutex_unlock(&admin->lock);
}

/* "[thrd:…]: broker/1: Connect to … failed: …": what it says behind the names. */
static void explain(struct kafka_admin *admin, rd_kafka_resp_err_t error)
{
    pthread_mutex_lock(&admin->lock);
    const char *said = strstr(admin->said, "Connect to ");
    if (!said)
        said = admin->said;
    snprintf(admin->why, sizeof admin->why, "%s%s%s", rd_kafka_err2str(error), *said ? ": " : "",
             said);
    pthread_mutex_unlock(&admin->lock);
}

int kafka_admin_check(const struct config *config, struct fault *fault)
{
    rd_kafka_conf_t *conf;
    int rc = kafka_settings_new(config, NULL, NULL, &conf, fault);
    if (rc == 0)
        rd_kafka_conf_destroy(conf);
    return rc;
}

int kafka_admin_open(const struct config *config, struct kafka_admin **out, struct fault *fault)
{
    *out = NULL;
    struct kafka_admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        return ERR_MEMORY;
    rd_kafka_conf_t *conf;
    int rc = kafka_settings_new(config, NULL, NULL, &conf, fault);
    if (rc != 0) {
        free(admin);
        return rc;
    }
    pthread_mutex_init(&admin->lock, NULL);
    rd_kafka_conf_set_opaque(conf, admin);
    rd_kafka_conf_set_log_cb(conf, keep_complaint);
    /* A consumer without a group, since consumers do not create the topics that they ask about. */
    admin->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, admin->why, sizeof admin->why);
    if (!admin->client) {
        rd_kafka_conf_destroy(conf);
        rc = fault_set(fault, "/kafka", "%s", admin->why);
        pthread_mutex_destroy(&admin->lock);
        free(admin);
        return rc;
    }
    *out = admin;
    return 0;
}

void kafka_admin_close(struct kafka_admin *admin)
{
    if (!admin)
        return;
    rd_kafka_destroy(admin->client);
    pthread_mutex_destroy(&admin->lock);
    free(admin);
}

const char *kafka_admin_why(const struct kafka_admin *admin)
{
    return admin->why;
}

int kafka_admin_ask(struct kafka_admin *admin, int64_t deadline, int step_ms,
                    kafka_admin_question *ask, void *what)
{
    for (;;) {
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0) {
            if (!*admin->why)
                snprintf(admin->why, sizeof admin->why, "no answer in time");
            return ERR_BUSY;
        }
        int64_t since = clock_monotonic_ms();
        rd_kafka_resp_err_t error = ask(admin, left < step_ms ? (int)left : step_ms, what);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            admin->why[0] = '\0';
            return 0;
        }
        explain(admin, error);
        if (error == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
            return ERR_BUSY;
        /* What fails at once (no leader at the moment) is asked again a little later. */
        int wait = clock_monotonic_ms() - since < 100 ? 100 : 0;
        if (stop_wait(wait))
            return ERR_STOPPED;
    }
}

rd_kafka_resp_err_t kafka_admin_metadata(struct kafka_admin *admin, int ms, void *what)
{
    return rd_kafka_metadata(admin->client, 1, NULL, what, ms);
}

rd_kafka_resp_err_t kafka_admin_offsets(struct kafka_admin *admin, int ms, void *what)
{
    const rd_kafka_topic_partition_list_t *question = what;
    rd_kafka_topic_partition_list_t *answer = rd_kafka_topic_partition_list_copy(question);
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(admin->client, answer, ms);
    for (int i = 0; i < answer->cnt && !error; i++)
        error = answer->elems[i].err;
    for (int i = 0; i < answer->cnt && !error; i++)
        question->elems[i].offset = answer->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(answer);
    return error;
}

/* `asked` for each partition into offsets[i]; -1 where there is no such offset. */
static int find_offsets(struct kafka_admin *admin, const struct kafka_cluster *cluster,
                        int64_t asked, int64_t deadline, int64_t *offsets)
{
    if (cluster->count == 0)
        return 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)cluster->count);
    for (size_t i = 0; i < cluster->count; i++)
        rd_kafka_topic_partition_list_add(list, cluster->partitions[i].topic,
                                          cluster->partitions[i].partition)
            ->offset = asked;
    int rc = kafka_admin_ask(admin, deadline, KAFKA_ADMIN_STEP_MS, kafka_admin_offsets, list);
    for (size_t i = 0; i < cluster->count && rc == 0; i++)
        offsets[i] = list->elems[i].offset >= 0 ? list->elems[i].offset : -1;
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

int kafka_admin_find_time(struct kafka_admin *admin, const struct kafka_cluster *cluster,
                          int64_t time_ms, int ms, int64_t *offsets)
{
    admin->why[0] = '\0';
    return find_offsets(admin, cluster, time_ms, clock_monotonic_ms() + ms, offsets);
}

/* Low marks before high ones, so that low is never above high by the order of looking alone. */
static int find_watermarks(struct kafka_admin *admin, struct kafka_cluster *cluster,
                           int64_t deadline)
{
    int64_t *low = calloc(2 * cluster->count + 1, sizeof *low), *high = low + cluster->count;
    if (!low)
        return ERR_MEMORY;
    int rc = find_offsets(admin, cluster, RD_KAFKA_OFFSET_BEGINNING, deadline, low);
    if (rc == 0)
        rc = find_offsets(admin, cluster, RD_KAFKA_OFFSET_END, deadline, high);
    for (size_t i = 0; i < cluster->count && rc == 0; i++) {
        cluster->partitions[i].low = low[i];
        cluster->partitions[i].high = high[i];
    }
    free(low);
    return rc;
}

static int by_topic_and_number(const void *a, const void *b)
{
    const struct kafka_watermarks *x = a, *y = b;
    int topics = strcmp(x->topic, y->topic);
    return topics ? topics : (x->partition > y->partition) - (x->partition < y->partition);
}

/* Picks the partitions of topics that begin with `prefix`. */
static int pick(const struct rd_kafka_metadata *metadata, const char *prefix,
                struct kafka_cluster *cluster)
{
    size_t total = 0;
    for (int t = 0; t < metadata->topic_cnt; t++)
        total += (size_t)metadata->topics[t].partition_cnt;
    cluster->brokers = metadata->broker_cnt;
    if (total > PARTITIONS_LIMIT)
        total = PARTITIONS_LIMIT;
    cluster->partitions = calloc(total ? total : 1, sizeof *cluster->partitions);
    if (!cluster->partitions)
        return ERR_MEMORY;
    for (int t = 0; t < metadata->topic_cnt; t++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[t];
        if (strncmp(topic->topic, prefix, strlen(prefix)) != 0)
            continue;
        for (int p = 0; p < topic->partition_cnt && cluster->count < total; p++) {
            struct kafka_watermarks *partition = &cluster->partitions[cluster->count++];
            snprintf(partition->topic, sizeof partition->topic, "%s", topic->topic);
            partition->partition = topic->partitions[p].id;
        }
    }
    qsort(cluster->partitions, cluster->count, sizeof *cluster->partitions, by_topic_and_number);
    return 0;
}

int kafka_admin_look(struct kafka_admin *admin, const char *prefix, int ms,
                     struct kafka_cluster *cluster)
{
    int64_t deadline = clock_monotonic_ms() + ms;
    const struct rd_kafka_metadata *metadata;
    *cluster = (struct kafka_cluster){0};
    admin->why[0] = '\0';
    int rc = kafka_admin_ask(admin, deadline, KAFKA_ADMIN_STEP_MS, kafka_admin_metadata, &metadata);
    if (rc != 0)
        return rc;
    rc = pick(metadata, prefix, cluster);
    rd_kafka_metadata_destroy(metadata);
    if (rc == 0)
        rc = find_watermarks(admin, cluster, deadline);
    if (rc != 0)
        kafka_cluster_free(cluster);
    return rc;
}

void kafka_cluster_free(struct kafka_cluster *cluster)
{
    free(cluster->partitions);
    *cluster = (struct kafka_cluster){0};
}
