/* What `throughline status` makes of what it found. */
#include <stdio.h>
#include <string.h>

#include "services/cli/status.h"

#define BEHIND_SECONDS 300 /* as the alert has it */

void status_judge_books(const struct status *status, struct status_part *part)
{
    int64_t records = 0, lag = 0;
    size_t wrong = 0;
    char text[200];
    if (!status->books_known)
        return;
    for (size_t i = 0; i < status->books.count; i++) {
        const struct book *book = &status->books.items[i];
        records += book->records;
        lag += book_lag(book);
        wrong += book_wrong_rows(book, text, sizeof text) != NULL;
    }
    const char *how = status->recounted ? "" : ", as they are kept (--recount counts the rows)";
    if (wrong > 0)
        status_wrong(part, "%zu of %zu partitions do not balance: throughline reconcile", wrong,
                     status->books.count);
    else if (status->books.kafka_known)
        status_fine(part, "%lld records read, %lld to come; they balance%s", (long long)records,
                    (long long)lag, how);
    else
        status_fine(part, "%lld records read; they balance%s", (long long)records, how);
}

void status_judge_partitions(const struct status *status, struct status_part *part)
{
    char first[300] = "", text[200];
    size_t wrong = 0, begun = 0;
    if (!status->books_known)
        return;
    for (size_t i = 0; i < status->books.count; i++) {
        const struct book *book = &status->books.items[i];
        begun += book->begun;
        if (book_wrong_place(&status->books, book, text, sizeof text) && wrong++ == 0)
            snprintf(first, sizeof first, "%.60s/%d %s", book->topic, (int)book->partition, text);
    }
    if (wrong > 1)
        status_wrong(part, "%s; and %zu more", first, wrong - 1);
    else if (wrong > 0)
        status_wrong(part, "%s", first);
    else
        status_fine(part, "%zu are read", begun);
}

static const char *department_of(const struct status_lag *lag)
{
    const char *dot = strchr(lag->topic, '.');
    return dot ? dot + 1 : lag->topic;
}

void status_judge_lag(const struct status *status, struct status_part *part)
{
    char list[400] = "";
    bool late = false;
    if (!status->books_known || !status->books.kafka_known)
        return;
    for (size_t i = 0; i < status->lag_count; i++) {
        const struct status_lag *lag = &status->lags[i];
        size_t len = strlen(list);
        char age[40] = "";
        if (lag->records == 0)
            continue;
        if (lag->seconds >= 0)
            snprintf(age, sizeof age, " (%lld s)", (long long)lag->seconds);
        snprintf(list + len, sizeof list - len, "%s%s %lld%s", len ? ", " : "", department_of(lag),
                 (long long)lag->records, age);
        late |= lag->seconds > BEHIND_SECONDS;
    }
    if (late)
        status_wrong(part, "records that are not read yet: %s", list);
    else if (*list)
        status_fine(part, "records that are not read yet: %s", list);
    else
        status_fine(part, "none: the timeline has what Kafka has");
}

/* "is missing"; NULL: as it should be. */
static const char *topic_wrong(const struct topics *topics, const struct kafka_topic *topic,
                               char *text, size_t size)
{
    struct topic_difference found[TOPIC_DIFFERENCES];
    size_t count = topic_differences(topic, &topics->plan, topics->brokers, found);
    if (!topic->exists)
        snprintf(text, size, "is missing: throughline migrate");
    else if (topic->leaderless > 0)
        snprintf(text, size,
                 "has no leader for %d of %d partitions: start the brokers that hold it",
                 topic->leaderless, topic->partitions);
    else if (count > 0 && found[0].error)
        snprintf(text, size, "%s is %s, should be %s: throughline migrate tells what mends it",
                 found[0].setting, found[0].is, found[0].should);
    else
        return NULL;
    return text;
}

void status_judge_topics(const struct topics *topics, struct status_part *part)
{
    char text[300], first[400] = "";
    size_t wrong = 0;
    for (size_t i = 0; i < topics->count; i++) {
        const struct kafka_topic *topic = &topics->items[i];
        if (topic_wrong(topics, topic, text, sizeof text) && wrong++ == 0)
            snprintf(first, sizeof first, "%.60s %s", topic->name, text);
    }
    if (wrong > 1)
        status_wrong(part, "%s; and %zu more", first, wrong - 1);
    else if (wrong > 0)
        status_wrong(part, "%s", first);
    else
        status_fine(part, "%zu, all there", topics->count);
}

void status_judge_quarantine(int64_t waiting, int64_t limit, struct status_part *part)
{
    char of[40] = "";
    if (limit > 0)
        snprintf(of, sizeof of, " of at most %lld", (long long)limit);
    if (limit > 0 && waiting >= limit)
        status_wrong(part, "full: %lld%s wait, and partitions with it: throughline quarantine list",
                     (long long)waiting, of);
    else if (limit > 0 && waiting > limit / 2)
        status_wrong(part, "filling: %lld%s wait: throughline quarantine list", (long long)waiting,
                     of);
    else if (waiting > 0)
        status_fine(part, "%lld%s waiting for a decision: throughline quarantine list",
                    (long long)waiting, of);
    else
        status_fine(part, "nothing waits");
}
