#include "common/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define METRICS_LIMIT 2048

enum kind { COUNTER, GAUGE, HISTOGRAM };

/* What its maker says of a metric. `per`: values are shown divided by it. */
struct form {
    enum kind kind;
    int64_t per;
    int64_t least, most; /* of a histogram */
};

#define WHOLE      1
#define IN_SECONDS 1000000

struct buckets {
    size_t count;
    int64_t bound[METRIC_BUCKETS];
    _Atomic int64_t in[METRIC_BUCKETS + 1]; /* the last one has no bound */
};

struct metric {
    _Atomic int64_t value;            /* of a histogram the sum */
    const char *name, *labels, *help; /* owned; labels "" for none */
    struct form form;
    struct buckets *buckets; /* NULL: no histogram */
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

static struct buckets *make_buckets(const struct form *form)
{
    static const int64_t steps[] = {1, 2, 5};
    struct buckets *buckets = calloc(1, sizeof *buckets);
    if (!buckets)
        abort();
    for (int64_t ten = form->least; ten <= form->most; ten *= 10)
        for (size_t i = 0; i < 3 && buckets->count < METRIC_BUCKETS; i++)
            if (ten * steps[i] <= form->most)
                buckets->bound[buckets->count++] = ten * steps[i];
    return buckets;
}

static struct metric *make(const char *name, const char *labels, const char *help,
                           const struct form *form, size_t n)
{
    if (n == METRICS_LIMIT) {
        log_error("There are too many metrics", LOG_TEXT("metric", name));
        abort();
    }
    struct metric *metric = &metrics[n];
    metric->name = keep(name);
    metric->labels = keep(labels);
    metric->help = keep(help);
    metric->form = *form;
    metric->buckets = form->kind == HISTOGRAM ? make_buckets(form) : NULL;
    atomic_store_explicit(&count, n + 1, memory_order_release);
    return metric;
}

static struct metric *find_or_make(const char *name, const char *labels, const char *help,
                                   const struct form *form)
{
    labels = labels ? labels : "";
    pthread_mutex_lock(&making);
    size_t n = atomic_load_explicit(&count, memory_order_relaxed);
    struct metric *metric = find(name, labels, n);
    if (!metric)
        metric = make(name, labels, help, form, n);
    pthread_mutex_unlock(&making);
    return metric;
}

struct metric *metric_counter(const char *name, const char *labels, const char *help)
{
    return find_or_make(name, labels, help, &(const struct form){COUNTER, WHOLE, 0, 0});
}

struct metric *metric_counter_seconds(const char *name, const char *labels, const char *help)
{
    return find_or_make(name, labels, help, &(const struct form){COUNTER, IN_SECONDS, 0, 0});
}

struct metric *metric_gauge(const char *name, const char *labels, const char *help)
{
    return find_or_make(name, labels, help, &(const struct form){GAUGE, WHOLE, 0, 0});
}

struct metric *metric_gauge_seconds(const char *name, const char *labels, const char *help)
{
    return find_or_make(name, labels, help, &(const struct form){GAUGE, IN_SECONDS, 0, 0});
}

struct metric *metric_histogram(const char *name, const char *labels, const char *help,
                                int64_t least, int64_t most)
{
    return find_or_make(name, labels, help, &(const struct form){HISTOGRAM, WHOLE, least, most});
}

struct metric *metric_histogram_seconds(const char *name, const char *labels, const char *help,
                                        int64_t least_us, int64_t most_us)
{
    return find_or_make(name, labels, help,
                        &(const struct form){HISTOGRAM, IN_SECONDS, least_us, most_us});
}

void metric_add(struct metric *metric, int64_t n)
{
    atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metric_observe(struct metric *histogram, int64_t value)
{
    struct buckets *buckets = histogram->buckets;
    size_t i = 0;
    value = value > 0 ? value : 0;
    while (i < buckets->count && value > buckets->bound[i])
        i++;
    atomic_fetch_add_explicit(&buckets->in[i], 1, memory_order_relaxed);
    metric_add(histogram, value);
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

static void append_value(struct buffer *out, int64_t value, int64_t per)
{
    if (per == WHOLE) {
        buffer_printf(out, "%" PRId64, value);
        return;
    }
    int64_t rest = value % per;
    buffer_printf(out, "%s%" PRId64 ".%06" PRId64, value < 0 ? "-" : "",
                  value < 0 ? -(value / per) : value / per, rest < 0 ? -rest : rest);
}

/* name_suffix{labels,more} */
static void append_series(struct buffer *out, const struct metric *metric, const char *suffix,
                          const char *more)
{
    const char *comma = *metric->labels && *more ? "," : "";
    bool braces = *metric->labels || *more;
    buffer_printf(out, "%s%s%s%s%s%s%s ", metric->name, suffix, braces ? "{" : "", metric->labels,
                  comma, more, braces ? "}" : "");
}

/* Each bucket counts what the ones before it do, too. They are read one after the other, so that
 * the last of them is the count. */
static void render_histogram(struct buffer *out, const struct metric *metric)
{
    int64_t below = 0;
    for (size_t i = 0; i <= metric->buckets->count; i++) {
        char le[48] = "le=\"+Inf\"";
        if (i < metric->buckets->count)
            snprintf(le, sizeof le, "le=\"%g\"",
                     (double)metric->buckets->bound[i] / (double)metric->form.per);
        below += atomic_load_explicit(&metric->buckets->in[i], memory_order_relaxed);
        append_series(out, metric, "_bucket", le);
        buffer_printf(out, "%" PRId64 "\n", below);
    }
    append_series(out, metric, "_sum", "");
    append_value(out, metric_value(metric), metric->form.per);
    buffer_append_char(out, '\n');
    append_series(out, metric, "_count", "");
    buffer_printf(out, "%" PRId64 "\n", below);
}

static void render_one(struct buffer *out, const struct metric *metric)
{
    if (metric->buckets) {
        render_histogram(out, metric);
        return;
    }
    append_series(out, metric, "", "");
    append_value(out, metric_value(metric), metric->form.per);
    buffer_append_char(out, '\n');
}

/* A name's lines stand together, as the format demands, in the order of the
 * first metric of each name. */
static void render_name(struct buffer *out, size_t first, size_t n)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const struct metric *head = &metrics[first];
    buffer_printf(out, "# HELP %s ", head->name);
    append_help(out, head->help);
    buffer_printf(out, "\n# TYPE %s %s\n", head->name, types[head->form.kind]);
    for (size_t i = first; i < n; i++)
        if (strcmp(metrics[i].name, head->name) == 0)
            render_one(out, &metrics[i]);
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
