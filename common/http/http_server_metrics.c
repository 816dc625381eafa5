#include <stdio.h>

#include "common/http/http_server_internal.h"
#include "common/metrics.h"

/* Every status that the server refuses with by itself. */
static const int statuses[] = {400, 404, 405, 413, 417, 431, 501, 503};
#define STATUS_COUNT (sizeof statuses / sizeof *statuses)

static struct metric *refused[STATUS_COUNT];

void http_metrics_init(void)
{
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        char label[32];
        snprintf(label, sizeof label, "code=\"%d\"", statuses[i]);
        refused[i] = metric_counter("throughline_http_refused_total", label,
                                    "Requests and connections refused before anybody looked into "
                                    "them (form, size, path, method, limits), by the answer");
    }
}

void http_metrics_refused(int status)
{
    for (size_t i = 0; i < STATUS_COUNT; i++)
        if (statuses[i] == status)
            metric_add(refused[i], 1);
}
