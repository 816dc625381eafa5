#include "services/department/intake_metrics.h"

#include <stdio.h>

#include "common/metrics.h"

/* Every status that a handler of the intake answers with. */
static const int statuses[] = {200, 202, 400, 401, 404, 413, 415, 503};
#define STATUS_COUNT (sizeof statuses / sizeof *statuses)

static const char *const results[] = {"accepted", "refused", "ignored", "quarantined"};
#define RESULT_COUNT (sizeof results / sizeof *results)

static struct metric *requests[STATUS_COUNT];
static struct metric *events[RESULT_COUNT];

void intake_metrics_init(void)
{
    char label[64];
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        snprintf(label, sizeof label, "code=\"%d\"", statuses[i]);
        requests[i] =
            metric_counter("throughline_intake_requests_total", label,
                           "Requests to /events, /handoffs and /webhooks, by the answer; without "
                           "those refused for method, size or form of the request");
    }
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        snprintf(label, sizeof label, "result=\"%s\"", results[i]);
        events[i] = metric_counter("throughline_intake_events_total", label,
                                   "Events taken in, by what became of them");
    }
}

void intake_count_request(int status)
{
    for (size_t i = 0; i < STATUS_COUNT; i++)
        if (statuses[i] == status)
            metric_add(requests[i], 1);
}

void intake_count_events(enum intake_result result, size_t n)
{
    if (n > 0)
        metric_add(events[result], (int64_t)n);
}
