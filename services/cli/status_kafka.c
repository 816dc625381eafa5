/* What `throughline status` asks the brokers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/event/vocabulary.h"
#include "services/cli/cli.h"
#include "services/cli/status.h"

#define KAFKA_MS    5000
#define SETTINGS_MS 2000
#define AGES_MS     3000

/* Settings that the user may not see, or that such brokers do not tell, are nobody's mistake. False
 * when no broker answers: then there is nothing else to ask. */
static bool look_at_topics(const struct cli *cli, struct kafka_admin *kafka,
                           const struct vocabulary *vocabulary, struct status_part *brokers,
                           struct status_part *part)
{
    struct topics topics;
    int rc = topics_plan(cli->config, vocabulary, &topics);
    if (rc == 0)
        rc = kafka_topics_look(kafka, topics.items, topics.count, KAFKA_MS);
    if (rc == ERR_BUSY)
        status_wrong(brokers, "%s: %s", topics.brokers, kafka_admin_why(kafka));
    else if (rc != 0)
        status_wrong(brokers, "%s", error_name(rc));
    if (rc == 0) {
        int told = kafka_topics_settings(kafka, topics.items, topics.count, SETTINGS_MS);
        if (told == 0 || told == ERR_BUSY)
            status_judge_topics(&topics, part);
    }
    topics_free(&topics);
    return rc == 0;
}

static struct status_lag *lag_of(struct status *status, const char *topic)
{
    for (size_t i = 0; i < status->lag_count; i++)
        if (strcmp(status->lags[i].topic, topic) == 0)
            return &status->lags[i];
    if (status->lag_count == STATUS_LAGS)
        return NULL;
    struct status_lag *lag = &status->lags[status->lag_count++];
    *lag = (struct status_lag){.records = 0};
    snprintf(lag->topic, sizeof lag->topic, "%s", topic);
    return lag;
}

/* For each book that is behind, the place of its first unread record. */
static size_t list_unread(const struct books *books, struct kafka_watermarks *places)
{
    size_t count = 0;
    for (size_t i = 0; i < books->count; i++) {
        const struct book *book = &books->items[i];
        if (book_lag(book) == 0)
            continue;
        snprintf(places[count].topic, sizeof places->topic, "%s", book->topic);
        places[count].partition = book->partition;
        places[count].high = book->high;
        places[count++].low = book->high - book_lag(book);
    }
    return count;
}

static void look_at_lag(struct kafka_admin *kafka, struct status *status)
{
    const struct books *books = &status->books;
    struct kafka_cluster unread = {.partitions =
                                       calloc(books->count + 1, sizeof *unread.partitions)};
    int64_t *ages = calloc(books->count + 1, sizeof *ages);
    if (unread.partitions && ages) {
        unread.count = list_unread(books, unread.partitions);
        int rc = kafka_admin_ages(kafka, &unread, AGES_MS, ages);
        for (size_t i = 0; i < books->count; i++)
            (void)lag_of(status, books->items[i].topic);
        for (size_t i = 0; i < unread.count; i++) {
            struct status_lag *lag = lag_of(status, unread.partitions[i].topic);
            if (!lag)
                continue;
            lag->records += unread.partitions[i].high - unread.partitions[i].low;
            if (rc != 0)
                lag->seconds = -1;
            else if (ages[i] / 1000 > lag->seconds)
                lag->seconds = ages[i] / 1000;
        }
    }
    free(ages);
    kafka_cluster_free(&unread);
}

static void look_at_partitions(struct kafka_admin *kafka, struct status *status,
                               const char *brokers, struct status_part *part)
{
    struct kafka_cluster cluster;
    int rc = kafka_admin_look(kafka, BOOKS_TOPICS, KAFKA_MS, &cluster);
    if (rc != 0) {
        status_wrong(part, "%s: %s", brokers, kafka_admin_why(kafka));
        return;
    }
    status_fine(part, "%s, %zu partitions of %s*", brokers, cluster.count, BOOKS_TOPICS);
    if (books_join(&status->books, &cluster) != 0)
        status_wrong(part, "no memory");
    else if (status->books_known)
        look_at_lag(kafka, status);
    kafka_cluster_free(&cluster);
}

void status_look_at_brokers(const struct cli *cli, struct status *status,
                            const struct vocabulary *vocabulary, struct status_part *brokers,
                            struct status_part *topics)
{
    struct fault fault = {0};
    struct kafka_admin *kafka;
    int rc = kafka_admin_open(cli->config, &kafka, &fault);
    if (rc != 0) {
        status_wrong(brokers, "%s %s", fault.pointer, fault.detail);
        return;
    }
    if (!vocabulary || look_at_topics(cli, kafka, vocabulary, brokers, topics))
        look_at_partitions(kafka, status, config_text(cli->config, "brokers"), brokers);
    kafka_admin_close(kafka);
}
