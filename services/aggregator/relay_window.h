/*
 * What of the outbox is on its way to Kafka, and in which order it may go. Decides only: no clock,
 * no locks, no I/O; relay.c does what it says.
 *
 * Rows of one topic and key are a chain, published in the order of their ids. To a department
 * (ROW strict) the next row of a chain goes only when Kafka has the one before: a receiver drops
 * what is older than what it has seen, so an opening must never come after its closing. On
 * events.throughline, where the timeline sorts by time, a chain is on its way at once; when one row
 * of it fails, it and all behind it go again, in their order.
 *
 * A topic that Kafka does not take keeps one row here, which is tried again and again; the
 * others wait in the outbox, so that no other topic waits behind them.
 */
#ifndef SERVICES_AGGREGATOR_RELAY_WINDOW_H
#define SERVICES_AGGREGATOR_RELAY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_ROWS_LIMIT   500
#define RELAY_TOPICS_LIMIT 80 /* departments, and events.throughline */
#define RELAY_RETRY_MS     100
#define RELAY_RETRY_MOST   5000

enum relay_state { RELAY_WAITS, RELAY_FLIES, RELAY_DELIVERED };

struct relay_row {
    int64_t id;
    uint64_t chain; /* of topic and key */
    int topic;      /* index into the window's */
    bool strict;
    enum relay_state state;
    int64_t not_before_ms; /* of one that failed */
    int failures;
    void *record; /* the caller's */
};

struct relay_topic {
    char name[250];
    bool failing;
};

struct relay_window {
    struct relay_row rows[RELAY_ROWS_LIMIT]; /* in the order in which they may go */
    size_t count;
    struct relay_topic topics[RELAY_TOPICS_LIMIT];
    int topic_count;
};

/* The topic's index, added where it is not known; -1: there are too many. */
int relay_window_topic(struct relay_window *window, const char *name);

/* Behind all others. NULL: it is full. */
struct relay_row *relay_window_add(struct relay_window *window, int64_t id, int topic,
                                   uint64_t chain, bool strict);

/* The next row that may be published now, from index `from` on; NULL: none. The caller marks it as
 * flying. */
struct relay_row *relay_window_next(struct relay_window *window, size_t *from, int64_t now_ms);

/* What Kafka said of a row that flew. A `refused` one (too large) holds its chain alone. */
void relay_window_delivered(struct relay_window *window, int64_t id);
void relay_window_failed(struct relay_window *window, int64_t id, int64_t now_ms, bool refused);

/* Is the row's delivery final: Kafka has it, and it need not go again behind another? */
bool relay_window_done(const struct relay_window *window, size_t index);

/* Takes rows out: those that are done and were deleted, and, of failing topics, all but the one
 * that is tried. `drop` gets each row that is taken out. */
void relay_window_sweep(struct relay_window *window, const int64_t *deleted, size_t deleted_count,
                        void (*drop)(struct relay_row *row));

#endif
