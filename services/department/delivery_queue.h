/*
 * What is to be delivered next: changes of handoffs, read from Kafka, waiting for the department's
 * system to take them.
 *
 * Changes of one handoff go one after the other; different handoffs have no order. A handoff that
 * its receiver refuses waits for its next try by itself and delays no other. When the receiver
 * takes nothing at all, a breaker opens: one try now and then tells whether it is back, and no
 * handoff's own tries are used up meanwhile.
 *
 * Kafka's offset of a partition may move past a change only when it and all before it are settled.
 * What is settled behind one that is not takes no room here: a restart reads it again. So that this
 * has an end, too, a change that very many have overtaken is given up when it fails once more.
 *
 * Pure: time comes in, nothing is sent here. Not thread-safe: its caller locks.
 */
#ifndef SERVICES_DEPARTMENT_DELIVERY_QUEUE_H
#define SERVICES_DEPARTMENT_DELIVERY_QUEUE_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/span.h"

struct delivery_queue;

struct delivery_limits {
    size_t changes;     /* most at a time, from their adding until they are settled */
    int64_t overtaken;  /* so many settled behind one: it is given up when it fails */
    int retry_floor_ms; /* of a handoff's backoff, doubled with jitter */
    int retry_ceiling_ms;
    int tries;            /* of one change, while the receiver takes others */
    int refused_tries;    /* of one change that the receiver says it does not want */
    int64_t give_up_ms;   /* after so long nothing is tried any more */
    int breaker_failures; /* so many in a row, of whichever handoffs, open the breaker */
    int breaker_floor_ms; /* how long it stays open, doubled with jitter */
    int breaker_ceiling_ms;
};

struct delivery {           /* a change */
    struct span handoff_id; /* the queue's copy */
    int32_t partition;
    int64_t offset, sequence;
    void *payload; /* the caller's; given to the queue's free function in the end */
    int tries;     /* those that failed while the breaker was open are not counted */
};

enum delivery_outcome {
    DELIVERY_TAKEN,   /* 2xx */
    DELIVERY_REFUSED, /* the receiver is there and does not want this one: 400, 422, … */
    DELIVERY_FAILED   /* no answer, or one that may pass: 5xx, 429, 401, 404, … */
};

enum delivery_verdict {
    VERDICT_DELIVERED,
    VERDICT_GAVE_UP,
    VERDICT_AGAIN,  /* it is tried later */
    VERDICT_REVOKED /* its partition is somebody else's by now: nothing is reported */
};

/* NULL without memory. */
struct delivery_queue *delivery_queue_new(const struct delivery_limits *limits,
                                          void (*free_payload)(void *payload));
void delivery_queue_free(struct delivery_queue *queue);

/* ERR_LIMIT: it is full, nothing was added, `payload` stays the caller's. Offsets of a partition
 * come in ascending order. */
int delivery_queue_add(struct delivery_queue *queue, int32_t partition, int64_t offset,
                       struct span handoff_id, int64_t sequence, void *payload,
                       int64_t now_ms) CHECKED;
bool delivery_queue_full(const struct delivery_queue *queue);
size_t delivery_queue_size(const struct delivery_queue *queue); /* changes not settled yet */
/* The one that has waited longest, at least of its partition; NULL: none waits. */
const struct delivery *delivery_queue_oldest(const struct delivery_queue *queue);

/* The change to send now, the caller's until it is judged. NULL: none; *wait_ms says in how long
 * there may be one (-1: not before something is added or judged). */
struct delivery *delivery_queue_next(struct delivery_queue *queue, int64_t now_ms,
                                     int64_t *wait_ms);

/* How a try ended. `retry_after_ms`: what the receiver asked for, -1 if nothing. After AGAIN the
 * queue has it back, after REVOKED it is gone; otherwise it stays the caller's until settled. */
enum delivery_verdict delivery_queue_judge(struct delivery_queue *queue, struct delivery *delivery,
                                           enum delivery_outcome outcome, int64_t retry_after_ms,
                                           int64_t now_ms);

/* It could not be tried, or judged, to its end, for reasons of our own: it waits as before. */
void delivery_queue_return(struct delivery_queue *queue, struct delivery *delivery);

/* The end of it has been reported: it and its payload are gone, the next change of its handoff may
 * go. */
void delivery_queue_settle(struct delivery_queue *queue, struct delivery *delivery);

/* The offset from which a restart must read a partition again; -1 where nothing was added. */
int64_t delivery_queue_offset(const struct delivery_queue *queue, int32_t partition);

/* The partitions are somebody else's: forgets all; what is being sent is freed when it is judged.
 */
void delivery_queue_revoke(struct delivery_queue *queue);

/* The receiver takes nothing at all. */
bool delivery_queue_broken(const struct delivery_queue *queue);

#endif
