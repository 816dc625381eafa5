#include "services/aggregator/stage_metrics.h"

#include "common/metrics.h"

static struct metric *on_timeline, *duplicates, *quarantined, *voided;
static struct metric *batches, *batch_records, *batch_microseconds, *stopped, *found_again;
static struct metric *held, *waiting;

void stage_metrics_init(int64_t quarantine_limit)
{
    static const char *const name = "throughline_aggregator_records_total";
    static const char *const help = "Records read from Kafka, by what became of them.";
    on_timeline = metric_counter(name, "result=\"timeline\"", help);
    duplicates = metric_counter(name, "result=\"duplicate\"", help);
    quarantined = metric_counter(name, "result=\"quarantined\"", help);
    voided = metric_counter(name, "result=\"void\"", help);
    batches = metric_counter("throughline_aggregator_batches_total", NULL,
                             "Batches committed to the database.");
    batch_records = metric_counter("throughline_aggregator_batch_records_total", NULL,
                                   "Records in the batches committed.");
    batch_microseconds = metric_counter("throughline_aggregator_batch_microseconds_total", NULL,
                                        "Time spent applying batches, in microseconds.");
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

void stage_metrics_batch(const struct books *books, size_t records, int64_t microseconds)
{
    metric_add(on_timeline, books->on_timeline);
    metric_add(duplicates, books->duplicates);
    metric_add(quarantined, books->quarantined);
    metric_add(voided, books->void_);
    metric_add(batches, 1);
    metric_add(batch_records, (int64_t)records);
    metric_add(batch_microseconds, microseconds);
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
