#include "services/aggregator/handoff_metrics.h"

#include <stdio.h>
#include <string.h>

#include "common/metrics.h"

enum count { OPENED, CHANGED, REFUSED, CUT, CLOSED, COUNTS = CLOSED + HANDOFF_STATES };

static struct metric *metrics[COUNTS]; /* NULL: of a state that is not closed */
static _Thread_local int64_t noted[COUNTS];

static void init_closed(enum handoff_state state)
{
    char label[32];
    snprintf(label, sizeof label, "state=\"%s\"", handoff_state_name(state));
    metrics[CLOSED + state] = metric_counter("throughline_aggregator_handoffs_closed_total", label,
                                             "Handoffs that were closed, by how.");
}

void handoff_metrics_init(void)
{
    metrics[OPENED] = metric_counter("throughline_aggregator_handoffs_opened_total", NULL,
                                     "Handoffs opened by the rules.");
    metrics[CHANGED] = metric_counter("throughline_aggregator_handoffs_changed_total", NULL,
                                      "Changes of handoffs: by closing events, requests and "
                                      "reports.");
    metrics[REFUSED] = metric_counter("throughline_aggregator_handoffs_refused_total", NULL,
                                      "Requests that were refused, and told so.");
    metrics[CUT] = metric_counter("throughline_aggregator_handoffs_cut_total", NULL,
                                  "Handoffs not opened, since their rules open each other without "
                                  "end.");
    for (int state = 0; state < HANDOFF_STATES; state++)
        if (handoff_is_closed((enum handoff_state)state))
            init_closed((enum handoff_state)state);
}

void handoff_metrics_begin(void)
{
    memset(noted, 0, sizeof noted);
}

void handoff_metrics_committed(void)
{
    for (int i = 0; i < COUNTS; i++)
        if (metrics[i] && noted[i] > 0)
            metric_add(metrics[i], noted[i]);
    handoff_metrics_begin();
}

void handoff_metrics_opened(int64_t count)
{
    noted[OPENED] += count;
}

void handoff_metrics_changed(int64_t count)
{
    noted[CHANGED] += count;
}

void handoff_metrics_closed(enum handoff_state state)
{
    noted[CLOSED + (int)state]++;
}

void handoff_metrics_refused(int64_t count)
{
    noted[REFUSED] += count;
}

void handoff_metrics_cut(void)
{
    noted[CUT]++;
}
