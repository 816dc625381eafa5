#include "services/aggregator/handoff_metrics.h"

#include "common/metrics.h"

static struct metric *opened, *changed, *refused, *cut;

void handoff_metrics_init(void)
{
    opened = metric_counter("throughline_aggregator_handoffs_opened_total", NULL,
                            "Handoffs opened by the rules.");
    changed = metric_counter("throughline_aggregator_handoffs_changed_total", NULL,
                             "Changes of handoffs: by closing events, requests and reports.");
    refused = metric_counter("throughline_aggregator_handoffs_refused_total", NULL,
                             "Requests that were refused, and told so.");
    cut = metric_counter("throughline_aggregator_handoffs_cut_total", NULL,
                         "Handoffs not opened, since their rules open each other without end.");
}

static void add(struct metric *metric, int64_t count)
{
    if (metric && count > 0)
        metric_add(metric, count);
}

void handoff_metrics_opened(int64_t count)
{
    add(opened, count);
}

void handoff_metrics_changed(int64_t count)
{
    add(changed, count);
}

void handoff_metrics_refused(int64_t count)
{
    add(refused, count);
}

void handoff_metrics_cut(void)
{
    add(cut, 1);
}
