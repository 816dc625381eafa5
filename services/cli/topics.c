#include "services/cli/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/event/system_events.h"
#include "common/event/vocabulary.h"
#include "services/cli/cli.h"
#include "services/cli/text.h"

#define MAX_MESSAGE_BYTES (2 * 1024 * 1024) /* what producers and consumers are set for */

int topics_plan(const struct config *config, const struct vocabulary *vocabulary,
                struct topics *topics)
{
    *topics = (struct topics){
        .items = calloc(2 * vocabulary->count + 1, sizeof *topics->items),
        .plan = {.partitions = (int)config_number(config, "topic_partitions"),
                 .replicas = (int)config_number(config, "topic_replication"),
                 .retention_ms = config_number(config, "topic_retention"),
                 .max_message_bytes = MAX_MESSAGE_BYTES,
                 .min_insync = (int)config_number(config, "topic_min_insync")},
        .brokers = config_text(config, "brokers"),
    };
    if (!topics->items)
        return ERR_MEMORY;
    static const char *const kinds[] = {"events", "handoffs"};
    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < vocabulary->count; i++) {
            struct kafka_topic *topic = &topics->items[topics->count++];
            snprintf(topic->name, sizeof topic->name, "%s.%s", kinds[kind],
                     vocabulary->departments[i].name);
        }
        if (kind == 0)
            snprintf(topics->items[topics->count++].name, sizeof topics->items->name, "%s",
                     SYSTEM_TOPIC);
    }
    return 0;
}

void topics_free(struct topics *topics)
{
    free(topics->items);
    *topics = (struct topics){0};
}

bool topics_mode(const char *word, enum topics_mode *mode)
{
    static const char *const words[] = {
        [TOPICS_MAKE] = "make", [TOPICS_CHECK] = "check", [TOPICS_SKIP] = "skip"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) != 0)
            continue;
        *mode = (enum topics_mode)i;
        return true;
    }
    return false;
}

/* --- telling --- */

/* What came of it, in numbers. */
struct tally {
    size_t made, errors, warnings;
};

static void tell_of_missing(const struct topics *topics, const struct kafka_topic *topic)
{
    char command[640];
    topic_make_command(topic->name, &topics->plan, topics->brokers, command, sizeof command);
    printf("ERROR topic %s is missing%s%s\n      %s\n", topic->name, topic->error[0] ? ": " : "",
           topic->error, command);
}

static void tell_of_difference(const struct kafka_topic *topic,
                               const struct topic_difference *difference)
{
    printf("%s topic %s: %s is %s, should be %s: %s\n      %s\n",
           difference->error ? "ERROR" : "WARN ", topic->name, difference->setting, difference->is,
           difference->should, difference->why, difference->mend);
}

static void tell_of(const struct topics *topics, const struct kafka_topic *topic,
                    const struct topic_difference *found, size_t count)
{
    if (topic->made)
        printf("topic %s made, %d partitions\n", topic->name, topic->partitions);
    if (!topic->exists)
        tell_of_missing(topics, topic);
    else if (topic->error[0])
        printf("ERROR topic %s cannot be looked at: %s\n      the user wants DescribeConfigs of "
               "the topic\n",
               topic->name, topic->error);
    for (size_t i = 0; i < count; i++)
        tell_of_difference(topic, &found[i]);
}

static void json_member(struct buffer *out, const char *name, const char *text)
{
    buffer_printf(out, ", \"%s\": ", name);
    text_append_json(out, span_of(text));
}

static void json_of(struct buffer *out, const struct topics *topics,
                    const struct kafka_topic *topic, const struct topic_difference *found,
                    size_t count)
{
    char command[640];
    buffer_append_text(out, out->len ? ",\n  {\"topic\": " : "\n  {\"topic\": ");
    text_append_json(out, span_of(topic->name));
    buffer_printf(out, ", \"exists\": %s, \"made\": %s, \"partitions\": %d, \"replicas\": %d",
                  topic->exists ? "true" : "false", topic->made ? "true" : "false",
                  topic->partitions, topic->replicas);
    if (topic->error[0])
        json_member(out, "error", topic->error);
    if (!topic->exists) {
        topic_make_command(topic->name, &topics->plan, topics->brokers, command, sizeof command);
        json_member(out, "mend", command);
    }
    buffer_append_text(out, ", \"differences\": [");
    for (size_t i = 0; i < count; i++) {
        buffer_printf(out, "%s{\"severity\": \"%s\"", i ? ", " : "",
                      found[i].error ? "error" : "warning");
        json_member(out, "setting", found[i].setting);
        json_member(out, "is", found[i].is);
        json_member(out, "should", found[i].should);
        json_member(out, "why", found[i].why);
        json_member(out, "mend", found[i].mend);
        buffer_append_char(out, '}');
    }
    buffer_append_text(out, "]}");
}

static void count_up(struct tally *tally, const struct kafka_topic *topic,
                     const struct topic_difference *found, size_t count)
{
    tally->made += topic->made;
    tally->errors += !topic->exists || topic->error[0];
    for (size_t i = 0; i < count; i++)
        *(found[i].error ? &tally->errors : &tally->warnings) += 1;
}

static void sum_up(const struct topics *topics, const struct tally *tally)
{
    if (tally->errors || tally->warnings)
        printf("%zu topics, %zu of them made now; %zu errors, %zu warnings\n", topics->count,
               tally->made, tally->errors, tally->warnings);
    else
        printf("%zu topics are as configured%s\n", topics->count,
               tally->made == 0               ? " already"
               : tally->made == topics->count ? " now"
                                              : " now, new ones among them");
}

/* Returns the exit status. */
static int tell(const struct topics *topics, bool json)
{
    struct tally tally = {0};
    struct buffer out;
    buffer_init(&out, (size_t)4 * 1024 * 1024);
    for (size_t i = 0; i < topics->count; i++) {
        struct topic_difference found[TOPIC_DIFFERENCES];
        const struct kafka_topic *topic = &topics->items[i];
        size_t count = topic_differences(topic, &topics->plan, topics->brokers, found);
        count_up(&tally, topic, found, count);
        if (json)
            json_of(&out, topics, topic, found, count);
        else
            tell_of(topics, topic, found, count);
    }
    int status = tally.errors ? EXIT_FAILED : EXIT_OK;
    if (!json)
        sum_up(topics, &tally);
    else if (out.failed)
        status = cli_failed("no memory");
    else
        printf(", \"topics\": [%.*s]", (int)out.len, out.len ? out.data : "");
    buffer_free(&out);
    return status;
}

/* --- asking --- */

static int left(int64_t deadline)
{
    int64_t ms = deadline - clock_monotonic_ms();
    return ms > 0 ? (int)ms : 0;
}

static int ask(struct kafka_admin *kafka, struct topics *topics, enum topics_mode mode,
               int64_t wait_ms)
{
    int64_t deadline = clock_monotonic_ms() + wait_ms;
    int rc = kafka_topics_look(kafka, topics->items, topics->count, left(deadline));
    if (rc == 0 && mode == TOPICS_MAKE)
        rc = kafka_topics_make(kafka, &topics->plan, topics->items, topics->count, left(deadline));
    if (rc == 0)
        rc = kafka_topics_settings(kafka, topics->items, topics->count, left(deadline));
    return rc;
}

static int not_done(const struct topics *topics, enum topics_mode mode, int64_t wait_ms,
                    const char *why)
{
    size_t made = 0;
    for (size_t i = 0; i < topics->count; i++)
        made += topics->items[i].made;
    return cli_failed("the database is migrated, but the topics were not %s%s: %s: %s within "
                      "%lld s. Run it again; --topics skip leaves them out",
                      mode == TOPICS_CHECK ? "looked at" : "all made and looked at",
                      made ? " (some were made)" : "", topics->brokers, why,
                      (long long)(wait_ms / 1000));
}

static int migrate(const struct cli *cli, struct topics *topics, enum topics_mode mode,
                   int64_t wait_ms)
{
    struct fault fault = {0};
    struct kafka_admin *kafka;
    int rc = kafka_admin_open(cli->config, &kafka, &fault);
    if (rc == ERR_INVALID)
        return cli_fault(&fault);
    if (rc != 0)
        return cli_failed("the topics were not looked at: %s", error_name(rc));
    rc = ask(kafka, topics, mode, wait_ms);
    int status;
    if (rc == 0)
        status = tell(topics, cli->json);
    else if (rc == ERR_BUSY)
        status = not_done(topics, mode, wait_ms, kafka_admin_why(kafka));
    else
        status = cli_failed("the topics were not all looked at: %s", error_name(rc));
    kafka_admin_close(kafka);
    return status;
}

int topics_migrate(const struct cli *cli, enum topics_mode mode, int64_t wait_ms)
{
    struct fault fault = {0};
    struct vocabulary *vocabulary;
    struct topics topics;
    int rc = vocabulary_load(cli->config_dir, &vocabulary, &fault);
    if (rc != 0)
        return rc == ERR_INVALID ? cli_fault(&fault) : cli_failed("%s", error_name(rc));
    rc = topics_plan(cli->config, vocabulary, &topics);
    int status = rc == 0 ? migrate(cli, &topics, mode, wait_ms) : cli_failed("no memory");
    topics_free(&topics);
    vocabulary_free(vocabulary);
    return status;
}
