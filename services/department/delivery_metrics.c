#include "services/department/delivery_metrics.h"

#include "common/metrics.h"

static struct metric *tries[3], *ends[2], *passed_over, *waiting, *oldest, *breaker;

void delivery_metrics_init(void)
{
    static const char *const outcomes[] = {[DELIVERY_TAKEN] = "outcome=\"taken\"",
                                           [DELIVERY_REFUSED] = "outcome=\"refused\"",
                                           [DELIVERY_FAILED] = "outcome=\"failed\""};
    static const char *const results[] = {"result=\"undeliverable\"", "result=\"delivered\""};
    for (int i = 0; i < 3; i++)
        tries[i] = metric_counter("throughline_delivery_tries_total", outcomes[i],
                                  "Changes of handoffs sent to the receiver, by its answer");
    for (int i = 0; i < 2; i++)
        ends[i] = metric_counter("throughline_delivery_changes_total", results[i],
                                 "Changes of handoffs that are done with, by what became of them");
    passed_over = metric_counter("throughline_delivery_passed_over_total", NULL,
                                 "Records of the handoffs topic that are no change of a handoff");
    waiting = metric_gauge("throughline_delivery_waiting", NULL,
                           "Changes of handoffs that wait for the receiver");
    oldest = metric_gauge("throughline_delivery_oldest_seconds", NULL,
                          "Age of the oldest of them, since Kafka got it");
    breaker = metric_gauge("throughline_delivery_breaker_open", NULL,
                           "1 while the receiver takes nothing and is tried now and then only");
}

void delivery_count_try(enum delivery_outcome outcome)
{
    metric_add(tries[outcome], 1);
}

void delivery_count_end(bool delivered)
{
    metric_add(ends[delivered], 1);
}

void delivery_count_passed_over(void)
{
    metric_add(passed_over, 1);
}

void delivery_show_waiting(size_t changes, int64_t oldest_s)
{
    metric_set(waiting, (int64_t)changes);
    metric_set(oldest, oldest_s);
}

void delivery_show_breaker(bool open)
{
    metric_set(breaker, open);
}
