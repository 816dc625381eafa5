#include "services/aggregator/stage_metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/metrics.h"

#define TOPICS_LIMIT 64 /* more of them have no gauge of their own */

static struct metric *consumed, *on_timeline, *duplicates, *quarantined, *voided;
static struct metric *batch_records, *batch_seconds, *delay, *stopped, *found_again;
static struct metric *held, *waiting;

/* Only ever added to; the count is raised when a new one is complete. */
static struct {
    char *name;
    struct metric *newest;
} topics[TOPICS_LIMIT];
static atomic_size_t topic_count;

static bool has_topic(const char *name)
{
    for (size_t i = 0; i < topic_count; i++)
        if (strcmp(topics[i].name, name) == 0)
            return true;
    return false;
}

void stage_metrics_topics(const char *const *names)
{
    for (; *names && topic_count < TOPICS_LIMIT; names++) {
        char label[300], *name = has_topic(*names) ? NULL : strdup(*names);
        if (!name) /* without memory it has no gauge */
            continue;
        snprintf(label, sizeof label, "topic=\"%s\"", name);
        topics[topic_count].name = name;
        topics[topic_count].newest = metric_gauge(
            "throughline_aggregator_newest_record_timestamp_seconds", label,
            "When Kafka got the newest record that this aggregator has brought to the timeline or "
            "to quarantine, in seconds since 1970; 0 where it had none yet.");
        topic_count++;
    }
}

static void init_batches(void)
{
    batch_records = metric_histogram("throughline_aggregator_batch_records", NULL,
                                     "Records in each batch that was committed.", 1, 100000);
    batch_seconds =
        metric_histogram_seconds("throughline_aggregator_batch_seconds", NULL,
                                 "How long each batch that was committed took.", 1000, 100000000);
    delay = metric_histogram_seconds("throughline_aggregator_delay_seconds", NULL,
                                     "How long the oldest record of each batch took from Kafka "
                                     "until it was committed: a backlog shows here, too.",
                                     1000, 1000000000);
}

void stage_metrics_init(int64_t quarantine_limit, const char *const *names)
{
    stage_metrics_topics(names);
    init_batches();
    consumed = metric_counter("throughline_aggregator_consumed_total", NULL,
                              "Records taken from Kafka's client, each time that they were read.");
    static const char *const name = "throughline_aggregator_records_total";
    static const char *const help = "Records read from Kafka, by what became of them.";
    on_timeline = metric_counter(name, "result=\"timeline\"", help);
    duplicates = metric_counter(name, "result=\"duplicate\"", help);
    quarantined = metric_counter(name, "result=\"quarantined\"", help);
    voided = metric_counter(name, "result=\"void\"", help);
    stopped = metric_gauge("throughline_aggregator_partitions_stopped", NULL,
                           "Partitions not read any further: Kafka lacks their next record, or it "
                           "cannot be read.");
    found_again = metric_counter("throughline_aggregator_found_again_total", NULL,
                                 "Records that Kafka's client had skipped and that a second look "
                                 "found: a fault of the client.");
    held = metric_gauge("throughline_aggregator_partitions_held", NULL,
                        "Partitions not read any further until quarantine has room.");
    waiting = metric_gauge("throughline_aggregator_quarantine_waiting", NULL,
                           "Records in quarantine that wait for a decision.");
    metric_set(metric_gauge("throughline_aggregator_quarantine_limit", NULL,
                            "Most records in quarantine (option quarantine_limit)."),
               quarantine_limit);
}

void stage_metrics_batch(const struct stage_batch *batch)
{
    metric_add(on_timeline, batch->books.on_timeline);
    metric_add(duplicates, batch->books.duplicates);
    metric_add(quarantined, batch->books.quarantined);
    metric_add(voided, batch->books.void_);
    metric_observe(batch_records, (int64_t)batch->records);
    metric_observe(batch_seconds, batch->microseconds);
    if (batch->oldest_ms >= 0)
        metric_observe(delay, clock_wall_us() - batch->oldest_ms * 1000);
}

void stage_metrics_consumed(int64_t records)
{
    metric_add(consumed, records);
}

/* Several writers may have partitions of one topic: which of them is the last to tell is chance,
 * which a later batch mends. */
void stage_metrics_newest(const char *topic, int64_t timestamp_ms)
{
    for (size_t i = 0; i < topic_count; i++)
        if (strcmp(topics[i].name, topic) == 0 &&
            timestamp_ms / 1000 > metric_value(topics[i].newest))
            metric_set(topics[i].newest, timestamp_ms / 1000);
}

void stage_metrics_stopped(int change)
{
    metric_add(stopped, change);
}

void stage_metrics_held(int change)
{
    metric_add(held, change);
}

void stage_metrics_waiting(int64_t records)
{
    if (waiting) /* not where nobody has asked for metrics */
        metric_set(waiting, records);
}

void stage_metrics_found_again(void)
{
    metric_add(found_again, 1);
}
