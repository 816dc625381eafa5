#include "services/aggregator/relay_window.h"

#include <stdio.h>
#include <string.h>

int relay_window_topic(struct relay_window *window, const char *name)
{
    for (int i = 0; i < window->topic_count; i++)
        if (strcmp(window->topics[i].name, name) == 0)
            return i;
    if (window->topic_count == RELAY_TOPICS_LIMIT)
        return -1;
    struct relay_topic *topic = &window->topics[window->topic_count];
    *topic = (struct relay_topic){.failing = false};
    snprintf(topic->name, sizeof topic->name, "%s", name);
    return window->topic_count++;
}

struct relay_row *relay_window_add(struct relay_window *window, int64_t id, int topic,
                                   uint64_t chain, bool strict)
{
    if (window->count == RELAY_ROWS_LIMIT)
        return NULL;
    struct relay_row *row = &window->rows[window->count++];
    *row = (struct relay_row){.id = id, .chain = chain, .topic = topic, .strict = strict};
    return row;
}

/* The row before it in its chain; NULL: none. */
static const struct relay_row *before(const struct relay_window *window, size_t index)
{
    for (size_t i = index; i > 0; i--)
        if (window->rows[i - 1].chain == window->rows[index].chain)
            return &window->rows[i - 1];
    return NULL;
}

static bool flies_behind(const struct relay_window *window, size_t index)
{
    for (size_t i = index + 1; i < window->count; i++)
        if (window->rows[i].chain == window->rows[index].chain &&
            window->rows[i].state == RELAY_FLIES)
            return true;
    return false;
}

/* Of a failing topic the first row alone is tried, once nothing of it flies any more. */
static bool topic_lets(const struct relay_window *window, size_t index)
{
    int topic = window->rows[index].topic;
    if (!window->topics[topic].failing)
        return true;
    for (size_t i = 0; i < window->count; i++)
        if (window->rows[i].topic == topic && (i < index || window->rows[i].state == RELAY_FLIES))
            return false;
    return true;
}

static bool may_go(const struct relay_window *window, size_t index, int64_t now_ms)
{
    const struct relay_row *row = &window->rows[index];
    if (row->state != RELAY_WAITS || row->not_before_ms > now_ms)
        return false;
    const struct relay_row *previous = before(window, index);
    /* Whatever flies goes in order; what waits, waits for that. */
    if (previous &&
        (previous->state == RELAY_WAITS || (row->strict && previous->state == RELAY_FLIES)))
        return false;
    /* It goes again: what was sent behind it must have come to rest, to go again behind it. */
    return !flies_behind(window, index) && topic_lets(window, index);
}

struct relay_row *relay_window_next(struct relay_window *window, size_t *from, int64_t now_ms)
{
    for (; *from < window->count; (*from)++)
        if (may_go(window, *from, now_ms))
            return &window->rows[(*from)++];
    return NULL;
}

static struct relay_row *find(struct relay_window *window, int64_t id)
{
    for (size_t i = 0; i < window->count; i++)
        if (window->rows[i].id == id)
            return &window->rows[i];
    return NULL;
}

void relay_window_delivered(struct relay_window *window, int64_t id)
{
    struct relay_row *row = find(window, id);
    if (!row)
        return;
    row->state = RELAY_DELIVERED;
    row->failures = 0;
    for (const struct relay_row *other = window->rows; other < row; other++)
        if (other->chain == row->chain && other->state == RELAY_WAITS)
            row->state = RELAY_WAITS; /* goes again, behind that one */
    window->topics[row->topic].failing = false;
}

static int64_t wait_of(int failures)
{
    int64_t ms = RELAY_RETRY_MS;
    for (int i = 1; i < failures && ms < RELAY_RETRY_MOST; i++)
        ms *= 2;
    return ms < RELAY_RETRY_MOST ? ms : RELAY_RETRY_MOST;
}

void relay_window_failed(struct relay_window *window, int64_t id, int64_t now_ms, bool refused)
{
    struct relay_row *row = find(window, id);
    if (!row)
        return;
    row->state = RELAY_WAITS;
    row->failures++;
    row->not_before_ms = now_ms + (refused ? RELAY_RETRY_MOST : wait_of(row->failures));
    if (!refused)
        window->topics[row->topic].failing = true;
    for (struct relay_row *other = row + 1; other < window->rows + window->count; other++)
        if (other->chain == row->chain && other->state == RELAY_DELIVERED)
            other->state = RELAY_WAITS;
}

bool relay_window_done(const struct relay_window *window, size_t index)
{
    for (size_t i = 0; i <= index; i++)
        if (window->rows[i].chain == window->rows[index].chain &&
            window->rows[i].state != RELAY_DELIVERED)
            return false;
    return true;
}

static bool is_among(const int64_t *ids, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* It may come back from the outbox later. */
static bool gives_way(const struct relay_window *window, const bool *seen,
                      const struct relay_row *row)
{
    return window->topics[row->topic].failing && seen[row->topic] && row->state != RELAY_FLIES;
}

void relay_window_sweep(struct relay_window *window, const int64_t *deleted, size_t deleted_count,
                        void (*drop)(struct relay_row *row))
{
    bool seen[RELAY_TOPICS_LIMIT] = {false}; /* a row of it was kept */
    size_t kept = 0;
    for (size_t i = 0; i < window->count; i++) {
        struct relay_row *row = &window->rows[i];
        if (is_among(deleted, deleted_count, row->id) || gives_way(window, seen, row)) {
            drop(row);
            continue;
        }
        seen[row->topic] = true;
        window->rows[kept++] = *row;
    }
    window->count = kept;
}
