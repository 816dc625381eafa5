#include "common/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define METRICS_LIMIT 512

struct metric {
    _Atomic int64_t value;
    const char *name, *labels, *help; /* owned; labels "" for none */
    bool counter;
};

/* Metrics are only ever added, in the order in which they were first asked for;
 * `count` is raised after a new one is complete, so readers need no lock. */
static struct metric metrics[METRICS_LIMIT];
static atomic_size_t count;
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static char *keep(const char *text)
{
    char *copy = strdup(text ? text : "");
    if (!copy)
        abort(); /* at start, without memory for a name: there is nothing to go on with */
    return copy;
}

static struct metric *find(const char *name, const char *labels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(metrics[i].name, name) == 0 && strcmp(metrics[i].labels, labels) == 0)
            return &metrics[i];
    return NULL;
}

static struct metric *make(const char *name, const char *labels, const char *help, bool counter,
                           size_t n)
{
    if (n == METRICS_LIMIT) {
        log_error("There are too many metrics", LOG_TEXT("metric", name));
        abort();
    }
    struct metric *metric = &metrics[n];
    metric->name = keep(name);
    metric->labels = keep(labels);
    metric->help = keep(help);
    metric->counter = counter;
    atomic_store_explicit(&count, n + 1, memory_order_release);
    return metric;
}

static struct metric *find_or_make(const char *name, const char *labels, const char *help,
                                   bool counter)
{
    labels = labels ? labels : "";
    pthread_mutex_lock(&making);
    size_t n = atomic_load_explicit(&count, memory_order_relaxed);
    struct metric *metric = find(name, labels, n);
    if (!metric)
        metric = make(name, labels, help, counter, n);
    pthread_mutex_unlock(&making);
    return metric;
}

struct metric *metric_counter(const char *name, const char *labels, const char *help)
{
    return find_or_make(name, labels, help, true);
}

struct metric *metric_gauge(const char *name, const char *labels, const char *help)
{
    return find_or_make(name, labels, help, false);
}

void metric_add(struct metric *metric, int64_t n)
{
    atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t metric_value(const struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

/* Help is one line: a backslash and a newline are escaped (text format 0.0.4). */
static void append_help(struct buffer *out, const char *help)
{
    for (; *help; help++) {
        if (*help == '\n')
            buffer_append_text(out, "\\n");
        else if (*help == '\\')
            buffer_append_text(out, "\\\\");
        else
            buffer_append_char(out, *help);
    }
}

/* A name's lines stand together, as the format demands, in the order of the
 * first metric of each name. */
static void render_name(struct buffer *out, size_t first, size_t n)
{
    const struct metric *head = &metrics[first];
    buffer_printf(out, "# HELP %s ", head->name);
    append_help(out, head->help);
    buffer_printf(out, "\n# TYPE %s %s\n", head->name, head->counter ? "counter" : "gauge");
    for (size_t i = first; i < n; i++) {
        const struct metric *metric = &metrics[i];
        if (strcmp(metric->name, head->name) != 0)
            continue;
        bool labels = *metric->labels;
        buffer_printf(out, "%s%s%s%s %" PRId64 "\n", metric->name, labels ? "{" : "",
                      metric->labels, labels ? "}" : "", metric_value(metric));
    }
}

void metrics_render(struct buffer *out)
{
    size_t n = atomic_load_explicit(&count, memory_order_acquire);
    for (size_t i = 0; i < n; i++) {
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = strcmp(metrics[j].name, metrics[i].name) != 0;
        if (first)
            render_name(out, i, n);
    }
}
