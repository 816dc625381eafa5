#include "services/department/intake_metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/metrics.h"

/* Every status that a handler of the intake answers with. */
static const int statuses[] = {200, 202, 400, 401, 404, 413, 415, 503};
#define STATUS_COUNT (sizeof statuses / sizeof *statuses)

static const char *const results[] = {"accepted", "refused", "ignored", "quarantined"};
#define RESULT_COUNT (sizeof results / sizeof *results)

/* Why a request is refused. Of an event it is the first thing that is wrong which counts. */
enum reason {
    REASON_CREDENTIALS,
    REASON_PATH,
    REASON_SIZE,
    REASON_MEDIA_TYPE,
    REASON_FORM,
    REASON_TYPE,
    REASON_TIME,
    REASON_CUSTOMER,
    REASON_DATA,
    REASON_ATTRIBUTE,
    REASON_UNAVAILABLE,
    REASONS
};

static const char *const reasons[REASONS] = {
    [REASON_CREDENTIALS] = "credentials",
    [REASON_PATH] = "path",
    [REASON_SIZE] = "size",
    [REASON_MEDIA_TYPE] = "media_type",
    [REASON_FORM] = "form",
    [REASON_TYPE] = "type",
    [REASON_TIME] = "time",
    [REASON_CUSTOMER] = "customer",
    [REASON_DATA] = "data",
    [REASON_ATTRIBUTE] = "attribute",
    [REASON_UNAVAILABLE] = "unavailable",
};

static struct metric *requests[STATUS_COUNT];
static struct metric *events[RESULT_COUNT];
static struct metric *refusals[REASONS];
static struct metric *answer_time;

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
    for (size_t i = 0; i < REASONS; i++) {
        snprintf(label, sizeof label, "reason=\"%s\"", reasons[i]);
        refusals[i] = metric_counter("throughline_intake_refusals_total", label,
                                     "Requests to /events, /handoffs and /webhooks that were "
                                     "refused, by the reason");
    }
    answer_time = metric_histogram_seconds("throughline_intake_answer_seconds", NULL,
                                           "How long a 202 took from the last byte of the request: "
                                           "mostly Kafka's acknowledgement",
                                           1000, 10000000);
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

static bool is_below(const char *pointer, const char *member)
{
    size_t len = strlen(member);
    return strncmp(pointer, member, len) == 0 && (pointer[len] == '\0' || pointer[len] == '/');
}

static enum reason reason_of_event(const char *pointer)
{
    if (!pointer || !*pointer)
        return REASON_FORM;
    if (is_below(pointer, "/type"))
        return REASON_TYPE;
    if (is_below(pointer, "/time"))
        return REASON_TIME;
    if (is_below(pointer, "/customer") || is_below(pointer, "/data/customer"))
        return REASON_CUSTOMER;
    return is_below(pointer, "/data") ? REASON_DATA : REASON_ATTRIBUTE;
}

static enum reason reason_of(int status, const char *pointer)
{
    switch (status) {
    case 401:
        return REASON_CREDENTIALS;
    case 404:
        return REASON_PATH;
    case 413:
        return REASON_SIZE;
    case 415:
        return REASON_MEDIA_TYPE;
    case 503:
        return REASON_UNAVAILABLE;
    default:
        return reason_of_event(pointer);
    }
}

void intake_count_refusal(int status, const char *pointer)
{
    metric_add(refusals[reason_of(status, pointer)], 1);
}

void intake_observe_answer(int64_t microseconds)
{
    metric_observe(answer_time, microseconds);
}
