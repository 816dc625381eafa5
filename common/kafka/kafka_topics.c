#include "common/kafka/kafka_topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/stop.h"
#include "common/kafka/kafka_admin_internal.h"

#define REQUEST_MS 5000 /* of a request that changes or tells of many topics */
#define SLICE_MS   100  /* between looks whether to stop */

/* One request and what it is about. */
struct request {
    struct kafka_topic *topics;
    size_t count;
    const struct kafka_topic_plan *plan; /* of making */
};

static struct kafka_topic *find(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->count; i++)
        if (strcmp(request->topics[i].name, name) == 0)
            return &request->topics[i];
    return NULL;
}

/* What passes while brokers start, or the cluster changes. */
static bool passes(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: /* another broker does not know it yet */
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
        return true;
    default:
        return false;
    }
}

/* --- which there are --- */

static void note_partitions(const struct rd_kafka_metadata_topic *found, struct kafka_topic *topic)
{
    topic->exists = !found->err && found->partition_cnt > 0;
    topic->partitions = found->partition_cnt;
    for (int i = 0; i < found->partition_cnt; i++) {
        const struct rd_kafka_metadata_partition *partition = &found->partitions[i];
        topic->leaderless += partition->leader < 0;
        if (i == 0 || partition->replica_cnt < topic->replicas)
            topic->replicas = partition->replica_cnt;
    }
}

int kafka_topics_look(struct kafka_admin *admin, struct kafka_topic *topics, size_t count, int ms)
{
    const struct rd_kafka_metadata *metadata;
    const struct request request = {topics, count, NULL};
    int rc = kafka_admin_ask(admin, clock_monotonic_ms() + ms, KAFKA_ADMIN_STEP_MS,
                             kafka_admin_metadata, &metadata);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        topics[i].exists = false;
        topics[i].partitions = topics[i].leaderless = topics[i].replicas = 0;
    }
    for (int i = 0; i < metadata->topic_cnt; i++) {
        struct kafka_topic *topic = find(&request, metadata->topics[i].topic);
        if (topic)
            note_partitions(&metadata->topics[i], topic);
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* --- a request of the admin API --- */

/* The answer to what was sent with this queue; NULL: none came, or stop is asked for. */
static rd_kafka_event_t *wait_for_answer(rd_kafka_queue_t *queue, int ms)
{
    int64_t deadline = clock_monotonic_ms() + ms + KAFKA_ADMIN_STEP_MS;
    rd_kafka_event_t *event = NULL;
    while (!event && !stop_requested() && clock_monotonic_ms() < deadline)
        event = rd_kafka_queue_poll(queue, SLICE_MS);
    return event;
}

/* NULL where the client cannot make it. */
static rd_kafka_AdminOptions_t *options_for(struct kafka_admin *admin, rd_kafka_admin_op_t what,
                                            int ms)
{
    char error[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client, what);
    if (!options)
        return NULL;
    rd_kafka_resp_err_t set =
        rd_kafka_AdminOptions_set_request_timeout(options, ms, error, sizeof error);
    if (!set && what == RD_KAFKA_ADMIN_OP_CREATETOPICS)
        set = rd_kafka_AdminOptions_set_operation_timeout(options, ms, error, sizeof error);
    if (!set)
        return options;
    rd_kafka_AdminOptions_destroy(options);
    return NULL;
}

/* --- making --- */

static rd_kafka_NewTopic_t *describe_new(const struct kafka_topic_plan *plan,
                                         struct kafka_topic *topic)
{
    char retention[24], bytes[24], insync[12];
    snprintf(retention, sizeof retention, "%lld", (long long)plan->retention_ms);
    snprintf(bytes, sizeof bytes, "%lld", (long long)plan->max_message_bytes);
    snprintf(insync, sizeof insync, "%d", plan->min_insync);
    const char *const settings[][2] = {
        {"cleanup.policy", "delete"},
        {"retention.ms", retention},
        {"max.message.bytes", bytes},
        {plan->min_insync > 0 ? "min.insync.replicas" : NULL, insync},
    };
    rd_kafka_NewTopic_t *new =
        rd_kafka_NewTopic_new(topic->name, plan->partitions, plan->replicas ? plan->replicas : -1,
                              topic->error, sizeof topic->error);
    for (size_t i = 0; new &&i < sizeof settings / sizeof *settings &&settings[i][0]; i++) {
        rd_kafka_resp_err_t error =
            rd_kafka_NewTopic_set_config(new, settings[i][0], settings[i][1]);
        if (!error)
            continue;
        snprintf(topic->error, sizeof topic->error, "%s: %s", settings[i][0],
                 rd_kafka_err2str(error));
        rd_kafka_NewTopic_destroy(new);
        new = NULL;
    }
    return new;
}

/* What is still to be made: NULL-free, `*wanted` of them; the caller's to destroy. */
static int list_new(const struct request *request, rd_kafka_NewTopic_t ***list, size_t *wanted)
{
    *wanted = 0;
    *list = calloc(request->count + 1, sizeof **list);
    if (!*list)
        return ERR_MEMORY;
    for (size_t i = 0; i < request->count; i++) {
        struct kafka_topic *topic = &request->topics[i];
        if (topic->exists || topic->error[0])
            continue;
        rd_kafka_NewTopic_t *new = describe_new(request->plan, topic);
        if (new)
            (*list)[(*wanted)++] = new;
    }
    return 0;
}

/* Of each topic what became of it; the error that is worth another try, if there was one. */
static rd_kafka_resp_err_t take_made(const struct request *request,
                                     const rd_kafka_CreateTopics_result_t *result)
{
    size_t count;
    rd_kafka_resp_err_t again = RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_topic_result_t **made = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        struct kafka_topic *topic = find(request, rd_kafka_topic_result_name(made[i]));
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(made[i]);
        const char *words = rd_kafka_topic_result_error_string(made[i]);
        if (!topic)
            continue;
        topic->made = !error;
        topic->exists = !error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
        if (passes(error))
            again = error;
        else if (!topic->exists)
            snprintf(topic->error, sizeof topic->error, "%s",
                     words ? words : rd_kafka_err2str(error));
    }
    return again;
}

static rd_kafka_resp_err_t send_new(struct kafka_admin *admin, const struct request *request,
                                    rd_kafka_NewTopic_t **list, size_t wanted, int ms)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_AdminOptions_t *options = options_for(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS, ms);
    if (!options)
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client);
    rd_kafka_CreateTopics(admin->client, list, wanted, options, queue);
    rd_kafka_event_t *event = wait_for_answer(queue, ms);
    if (event) {
        const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
        error = rd_kafka_event_error(event);
        if (!error && result)
            error = take_made(request, result);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return error;
}

static rd_kafka_resp_err_t make(struct kafka_admin *admin, int ms, void *what)
{
    const struct request *request = what;
    rd_kafka_NewTopic_t **list;
    size_t wanted;
    if (list_new(request, &list, &wanted) != 0)
        return RD_KAFKA_RESP_ERR__FAIL;
    rd_kafka_resp_err_t error =
        wanted ? send_new(admin, request, list, wanted, ms) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_NewTopic_destroy_array(list, wanted);
    free(list);
    return error;
}

/* Until the brokers know the new ones, with leaders: who starts next finds them. */
static int wait_for_leaders(struct kafka_admin *admin, struct kafka_topic *topics, size_t count,
                            int64_t deadline)
{
    for (;;) {
        size_t waiting = 0;
        int64_t left = deadline - clock_monotonic_ms();
        int rc = kafka_topics_look(admin, topics, count, left > 0 ? (int)left : 0);
        for (size_t i = 0; i < count && rc == 0; i++)
            waiting += topics[i].made && (!topics[i].exists || topics[i].leaderless > 0);
        if (rc != 0 || waiting == 0)
            return rc;
        if (clock_monotonic_ms() >= deadline) {
            snprintf(admin->why, sizeof admin->why, "new topics have no leaders yet");
            return ERR_BUSY;
        }
        if (stop_wait(SLICE_MS))
            return ERR_STOPPED;
    }
}

int kafka_topics_make(struct kafka_admin *admin, const struct kafka_topic_plan *plan,
                      struct kafka_topic *topics, size_t count, int ms)
{
    int64_t deadline = clock_monotonic_ms() + ms;
    struct request request = {topics, count, plan};
    admin->why[0] = '\0';
    int rc = kafka_admin_ask(admin, deadline, REQUEST_MS, make, &request);
    return rc ? rc : wait_for_leaders(admin, topics, count, deadline);
}

/* --- how they are set --- */

static int64_t whole(const char *text, int64_t otherwise)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    return *text && !*end ? number : otherwise;
}

static void note_setting(struct kafka_topic *topic, const char *name, const char *value)
{
    if (strcmp(name, "retention.ms") == 0)
        topic->retention_ms = whole(value, -1);
    else if (strcmp(name, "retention.bytes") == 0)
        topic->retention_bytes = whole(value, -1);
    else if (strcmp(name, "max.message.bytes") == 0)
        topic->max_message_bytes = whole(value, 0);
    else if (strcmp(name, "min.insync.replicas") == 0)
        topic->min_insync = (int)whole(value, 1);
    else if (strcmp(name, "cleanup.policy") == 0)
        snprintf(topic->cleanup_policy, sizeof topic->cleanup_policy, "%s", value);
}

static void note_settings(const rd_kafka_ConfigResource_t *found, struct kafka_topic *topic)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(found, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value)
            note_setting(topic, rd_kafka_ConfigEntry_name(entries[i]), value);
    }
    /* A broker that does not tell the one that counts most tells nothing. */
    topic->settings_known = topic->max_message_bytes > 0;
    if (!topic->settings_known)
        snprintf(topic->error, sizeof topic->error, "the brokers do not tell its settings");
}

static rd_kafka_resp_err_t take_settings(const struct request *request,
                                         const rd_kafka_DescribeConfigs_result_t *result)
{
    size_t count;
    rd_kafka_resp_err_t again = RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_ConfigResource_t **found =
        rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (size_t i = 0; i < count; i++) {
        struct kafka_topic *topic = find(request, rd_kafka_ConfigResource_name(found[i]));
        rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(found[i]);
        const char *words = rd_kafka_ConfigResource_error_string(found[i]);
        if (!topic)
            continue;
        if (passes(error))
            again = error;
        else if (error)
            snprintf(topic->error, sizeof topic->error, "%s",
                     words ? words : rd_kafka_err2str(error));
        else
            note_settings(found[i], topic);
    }
    return again;
}

static rd_kafka_resp_err_t send_question(struct kafka_admin *admin, const struct request *request,
                                         rd_kafka_ConfigResource_t **list, size_t wanted, int ms)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_AdminOptions_t *options = options_for(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, ms);
    if (!options)
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client);
    rd_kafka_DescribeConfigs(admin->client, list, wanted, options, queue);
    rd_kafka_event_t *event = wait_for_answer(queue, ms);
    if (event) {
        const rd_kafka_DescribeConfigs_result_t *result =
            rd_kafka_event_DescribeConfigs_result(event);
        error = rd_kafka_event_error(event);
        if (!error && result)
            error = take_settings(request, result);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    return error;
}

static rd_kafka_resp_err_t ask_settings(struct kafka_admin *admin, int ms, void *what)
{
    const struct request *request = what;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_ConfigResource_t **list = calloc(request->count + 1, sizeof *list);
    size_t wanted = 0;
    if (!list)
        return RD_KAFKA_RESP_ERR__FAIL;
    for (size_t i = 0; i < request->count && !error; i++) {
        const struct kafka_topic *topic = &request->topics[i];
        if (!topic->exists || topic->settings_known || topic->error[0])
            continue;
        list[wanted] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic->name);
        if (list[wanted])
            wanted++;
        else
            error = RD_KAFKA_RESP_ERR__INVALID_ARG;
    }
    if (!error && wanted > 0)
        error = send_question(admin, request, list, wanted, ms);
    rd_kafka_ConfigResource_destroy_array(list, wanted);
    free(list);
    return error;
}

int kafka_topics_settings(struct kafka_admin *admin, struct kafka_topic *topics, size_t count,
                          int ms)
{
    struct request request = {topics, count, NULL};
    admin->why[0] = '\0';
    return kafka_admin_ask(admin, clock_monotonic_ms() + ms, REQUEST_MS, ask_settings, &request);
}
