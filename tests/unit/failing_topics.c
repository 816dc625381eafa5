#include "tests/unit/failing_topics.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/failing.h"

#define TOPICS           8
#define SETTINGS         5
#define OBJECT(type, of) ((type *)(void *)(of))

struct setting {
    char name[32], value[32];
};

/* A topic, a wish for one, what became of it, and its settings: whatever librdkafka calls it. */
struct thing {
    char name[64];
    int partitions;
    struct setting settings[SETTINGS];
    int count;
    rd_kafka_resp_err_t error;
};

static struct {
    rd_kafka_mock_cluster_t *cluster;
    struct thing topics[TOPICS];
    int count, held;
    /* of the last request */
    bool asked;
    rd_kafka_admin_op_t what;
    struct thing answers[TOPICS];
    int answer_count;
} brokers;

static char the_options, the_event, no_error_text[] = "made to fail";

static int turn(const char *call, int ways)
{
    return failing_now(FAILING_KAFKA, call, ways);
}

void failing_topics_open(rd_kafka_mock_cluster_t *cluster)
{
    memset(&brokers, 0, sizeof brokers);
    brokers.cluster = cluster;
}

int failing_topics_held(void)
{
    return brokers.held;
}

/* The linker's names. */
rd_kafka_AdminOptions_t *__wrap_rd_kafka_AdminOptions_new(rd_kafka_t *, rd_kafka_admin_op_t);
void __wrap_rd_kafka_AdminOptions_destroy(rd_kafka_AdminOptions_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_AdminOptions_set_request_timeout(rd_kafka_AdminOptions_t *, int,
                                                                     char *, size_t);
rd_kafka_resp_err_t __wrap_rd_kafka_AdminOptions_set_operation_timeout(rd_kafka_AdminOptions_t *,
                                                                       int, char *, size_t);
rd_kafka_NewTopic_t *__wrap_rd_kafka_NewTopic_new(const char *, int, int, char *, size_t);
rd_kafka_resp_err_t __wrap_rd_kafka_NewTopic_set_config(rd_kafka_NewTopic_t *, const char *,
                                                        const char *);
void __wrap_rd_kafka_NewTopic_destroy(rd_kafka_NewTopic_t *);
void __wrap_rd_kafka_NewTopic_destroy_array(rd_kafka_NewTopic_t **, size_t);
void __wrap_rd_kafka_CreateTopics(rd_kafka_t *, rd_kafka_NewTopic_t **, size_t,
                                  const rd_kafka_AdminOptions_t *, rd_kafka_queue_t *);
rd_kafka_ConfigResource_t *__wrap_rd_kafka_ConfigResource_new(rd_kafka_ResourceType_t,
                                                              const char *);
void __wrap_rd_kafka_ConfigResource_destroy_array(rd_kafka_ConfigResource_t **, size_t);
void __wrap_rd_kafka_DescribeConfigs(rd_kafka_t *, rd_kafka_ConfigResource_t **, size_t,
                                     const rd_kafka_AdminOptions_t *, rd_kafka_queue_t *);
rd_kafka_event_t *__wrap_rd_kafka_queue_poll(rd_kafka_queue_t *, int);
void __wrap_rd_kafka_event_destroy(rd_kafka_event_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_event_error(rd_kafka_event_t *);
const rd_kafka_CreateTopics_result_t *__wrap_rd_kafka_event_CreateTopics_result(rd_kafka_event_t *);
const rd_kafka_DescribeConfigs_result_t *
__wrap_rd_kafka_event_DescribeConfigs_result(rd_kafka_event_t *);
const rd_kafka_topic_result_t **
__wrap_rd_kafka_CreateTopics_result_topics(const rd_kafka_CreateTopics_result_t *, size_t *);
const char *__wrap_rd_kafka_topic_result_name(const rd_kafka_topic_result_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_topic_result_error(const rd_kafka_topic_result_t *);
const char *__wrap_rd_kafka_topic_result_error_string(const rd_kafka_topic_result_t *);
const rd_kafka_ConfigResource_t **
__wrap_rd_kafka_DescribeConfigs_result_resources(const rd_kafka_DescribeConfigs_result_t *,
                                                 size_t *);
const char *__wrap_rd_kafka_ConfigResource_name(const rd_kafka_ConfigResource_t *);
rd_kafka_resp_err_t __wrap_rd_kafka_ConfigResource_error(const rd_kafka_ConfigResource_t *);
const char *__wrap_rd_kafka_ConfigResource_error_string(const rd_kafka_ConfigResource_t *);
const rd_kafka_ConfigEntry_t **
__wrap_rd_kafka_ConfigResource_configs(const rd_kafka_ConfigResource_t *, size_t *);
const char *__wrap_rd_kafka_ConfigEntry_name(const rd_kafka_ConfigEntry_t *);
const char *__wrap_rd_kafka_ConfigEntry_value(const rd_kafka_ConfigEntry_t *);

/* --- a request --- */

rd_kafka_AdminOptions_t *__wrap_rd_kafka_AdminOptions_new(rd_kafka_t *kafka,
                                                          rd_kafka_admin_op_t what)
{
    (void)kafka;
    if (turn("rd_kafka_AdminOptions_new", 1) >= 0)
        return NULL;
    brokers.what = what;
    brokers.held++;
    return OBJECT(rd_kafka_AdminOptions_t, &the_options);
}

void __wrap_rd_kafka_AdminOptions_destroy(rd_kafka_AdminOptions_t *options)
{
    brokers.held -= options != NULL;
}

rd_kafka_resp_err_t
__wrap_rd_kafka_AdminOptions_set_request_timeout(rd_kafka_AdminOptions_t *options, int ms,
                                                 char *error, size_t size)
{
    (void)options, (void)ms;
    if (turn("rd_kafka_AdminOptions_set_request_timeout", 1) < 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    snprintf(error, size, "%s", no_error_text);
    return RD_KAFKA_RESP_ERR__INVALID_ARG;
}

rd_kafka_resp_err_t
__wrap_rd_kafka_AdminOptions_set_operation_timeout(rd_kafka_AdminOptions_t *options, int ms,
                                                   char *error, size_t size)
{
    (void)options, (void)ms;
    if (turn("rd_kafka_AdminOptions_set_operation_timeout", 1) < 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    snprintf(error, size, "%s", no_error_text);
    return RD_KAFKA_RESP_ERR__INVALID_ARG;
}

static struct thing *new_thing(const char *name)
{
    failing_exempt(true);
    struct thing *thing = calloc(1, sizeof *thing);
    failing_exempt(false);
    snprintf(thing->name, sizeof thing->name, "%s", name);
    brokers.held++;
    return thing;
}

static void forget_thing(struct thing *thing)
{
    brokers.held -= thing != NULL;
    free(thing);
}

rd_kafka_NewTopic_t *__wrap_rd_kafka_NewTopic_new(const char *name, int partitions, int replicas,
                                                  char *error, size_t size)
{
    (void)replicas;
    if (turn("rd_kafka_NewTopic_new", 1) >= 0) {
        snprintf(error, size, "%s", no_error_text);
        return NULL;
    }
    struct thing *thing = new_thing(name);
    thing->partitions = partitions;
    return OBJECT(rd_kafka_NewTopic_t, thing);
}

rd_kafka_resp_err_t __wrap_rd_kafka_NewTopic_set_config(rd_kafka_NewTopic_t *new, const char *name,
                                                        const char *value)
{
    struct thing *thing = OBJECT(struct thing, new);
    if (turn("rd_kafka_NewTopic_set_config", 1) >= 0)
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    struct setting *setting = &thing->settings[thing->count++];
    snprintf(setting->name, sizeof setting->name, "%s", name);
    snprintf(setting->value, sizeof setting->value, "%s", value);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void __wrap_rd_kafka_NewTopic_destroy(rd_kafka_NewTopic_t *new)
{
    forget_thing(OBJECT(struct thing, new));
}

void __wrap_rd_kafka_NewTopic_destroy_array(rd_kafka_NewTopic_t **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        forget_thing(OBJECT(struct thing, list[i]));
}

rd_kafka_ConfigResource_t *__wrap_rd_kafka_ConfigResource_new(rd_kafka_ResourceType_t type,
                                                              const char *name)
{
    (void)type;
    return turn("rd_kafka_ConfigResource_new", 1) >= 0
               ? NULL
               : OBJECT(rd_kafka_ConfigResource_t, new_thing(name));
}

void __wrap_rd_kafka_ConfigResource_destroy_array(rd_kafka_ConfigResource_t **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        forget_thing(OBJECT(struct thing, list[i]));
}

/* --- what the brokers do --- */

static struct thing *topic_named(const char *name)
{
    for (int i = 0; i < brokers.count; i++)
        if (strcmp(brokers.topics[i].name, name) == 0)
            return &brokers.topics[i];
    return NULL;
}

static rd_kafka_resp_err_t make(const struct thing *wish)
{
    static const rd_kafka_resp_err_t ways[] = {RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS,
                                               RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
                                               RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR};
    int way = turn("making a topic", 3);
    /* By somebody else, in the same moment. */
    bool there = way < 0 || ways[way] == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
    if (topic_named(wish->name))
        return RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
    if (there && brokers.count < TOPICS) {
        failing_exempt(true);
        rd_kafka_mock_topic_create(brokers.cluster, wish->name, wish->partitions, 1);
        failing_exempt(false);
        brokers.topics[brokers.count++] = *wish;
    }
    return way < 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : ways[way];
}

void __wrap_rd_kafka_CreateTopics(rd_kafka_t *kafka, rd_kafka_NewTopic_t **list, size_t count,
                                  const rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue)
{
    (void)kafka, (void)options, (void)queue;
    brokers.asked = true;
    brokers.answer_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct thing *answer = &brokers.answers[brokers.answer_count++];
        *answer = *OBJECT(struct thing, list[i]);
        answer->error = make(answer);
    }
}

void __wrap_rd_kafka_DescribeConfigs(rd_kafka_t *kafka, rd_kafka_ConfigResource_t **list,
                                     size_t count, const rd_kafka_AdminOptions_t *options,
                                     rd_kafka_queue_t *queue)
{
    static const rd_kafka_resp_err_t ways[] = {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                               RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART};
    (void)kafka, (void)options, (void)queue;
    brokers.asked = true;
    brokers.answer_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct thing *answer = &brokers.answers[brokers.answer_count++];
        const struct thing *topic = topic_named(OBJECT(struct thing, list[i])->name);
        int way = turn("describing a topic", 2);
        *answer = topic ? *topic : *OBJECT(struct thing, list[i]);
        answer->error = way >= 0 ? ways[way]
                        : topic  ? RD_KAFKA_RESP_ERR_NO_ERROR
                                 : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    }
}

/* --- the answer --- */

rd_kafka_event_t *__wrap_rd_kafka_queue_poll(rd_kafka_queue_t *queue, int ms)
{
    (void)queue, (void)ms;
    if (!brokers.asked || turn("rd_kafka_queue_poll", 1) >= 0)
        return NULL;
    brokers.asked = false;
    brokers.held++;
    return OBJECT(rd_kafka_event_t, &the_event);
}

void __wrap_rd_kafka_event_destroy(rd_kafka_event_t *event)
{
    brokers.held -= event != NULL;
}

rd_kafka_resp_err_t __wrap_rd_kafka_event_error(rd_kafka_event_t *event)
{
    static const rd_kafka_resp_err_t ways[] = {RD_KAFKA_RESP_ERR__TIMED_OUT,
                                               RD_KAFKA_RESP_ERR__TRANSPORT,
                                               RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE};
    (void)event;
    int way = turn("rd_kafka_event_error", 3);
    return way < 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : ways[way];
}

const rd_kafka_CreateTopics_result_t *
__wrap_rd_kafka_event_CreateTopics_result(rd_kafka_event_t *event)
{
    return brokers.what == RD_KAFKA_ADMIN_OP_CREATETOPICS ? event : NULL;
}

const rd_kafka_DescribeConfigs_result_t *
__wrap_rd_kafka_event_DescribeConfigs_result(rd_kafka_event_t *event)
{
    return brokers.what == RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS ? event : NULL;
}

static const void **list_answers(size_t *count)
{
    static const void *list[TOPICS];
    for (int i = 0; i < brokers.answer_count; i++)
        list[i] = &brokers.answers[i];
    *count = (size_t)brokers.answer_count;
    return list;
}

const rd_kafka_topic_result_t **
__wrap_rd_kafka_CreateTopics_result_topics(const rd_kafka_CreateTopics_result_t *result,
                                           size_t *count)
{
    (void)result;
    return OBJECT(const rd_kafka_topic_result_t *, list_answers(count));
}

const rd_kafka_ConfigResource_t **
__wrap_rd_kafka_DescribeConfigs_result_resources(const rd_kafka_DescribeConfigs_result_t *result,
                                                 size_t *count)
{
    (void)result;
    return OBJECT(const rd_kafka_ConfigResource_t *, list_answers(count));
}

static const struct thing *thing_of(const void *object)
{
    return object;
}

const char *__wrap_rd_kafka_topic_result_name(const rd_kafka_topic_result_t *result)
{
    return thing_of(result)->name;
}

rd_kafka_resp_err_t __wrap_rd_kafka_topic_result_error(const rd_kafka_topic_result_t *result)
{
    return thing_of(result)->error;
}

const char *__wrap_rd_kafka_topic_result_error_string(const rd_kafka_topic_result_t *result)
{
    return thing_of(result)->error ? no_error_text : NULL;
}

const char *__wrap_rd_kafka_ConfigResource_name(const rd_kafka_ConfigResource_t *resource)
{
    return thing_of(resource)->name;
}

rd_kafka_resp_err_t __wrap_rd_kafka_ConfigResource_error(const rd_kafka_ConfigResource_t *resource)
{
    return thing_of(resource)->error;
}

const char *__wrap_rd_kafka_ConfigResource_error_string(const rd_kafka_ConfigResource_t *resource)
{
    (void)resource;
    return NULL; /* a broker need not say more than the code */
}

const rd_kafka_ConfigEntry_t **
__wrap_rd_kafka_ConfigResource_configs(const rd_kafka_ConfigResource_t *resource, size_t *count)
{
    static const void *list[SETTINGS];
    const struct thing *thing = thing_of(resource);
    for (int i = 0; i < thing->count; i++)
        list[i] = &thing->settings[i];
    *count = (size_t)thing->count;
    return OBJECT(const rd_kafka_ConfigEntry_t *, list);
}

const char *__wrap_rd_kafka_ConfigEntry_name(const rd_kafka_ConfigEntry_t *entry)
{
    const void *setting = entry;
    return ((const struct setting *)setting)->name;
}

/* A broker need not tell a setting. */
const char *__wrap_rd_kafka_ConfigEntry_value(const rd_kafka_ConfigEntry_t *entry)
{
    const void *setting = entry;
    return turn("rd_kafka_ConfigEntry_value", 1) >= 0 ? NULL
                                                      : ((const struct setting *)setting)->value;
}
