/*
 * What the parts of handoffs_apply and handoff_confirm share while they work: handoff_load.c
 * reads, handoff_openings.c applies the rules, handoff_write.c writes. For them alone.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFF_WORK_H
#define SERVICES_AGGREGATOR_HANDOFF_WORK_H

#include "services/aggregator/handoff_fold.h"
#include "services/aggregator/handoffs.h"

#define HANDOFF_ARRAY_LIMIT ((size_t)64 * 1024 * 1024)

/* A handoff that a rule opens. */
struct handoff_opening {
    const struct handoff_rule *rule;
    const struct batch_row *row;
    const struct batch_note *note;
    json_t *data; /* borrowed; NULL: not JSON */
    int64_t depth;
    bool dropped;   /* by its circumstances */
    struct span to; /* the receiver, once it is known */
};

/* A request that was refused, to be told to who sent it. */
struct handoff_refusal {
    const struct batch_note *note;
    const struct handoff *handoff; /* NULL: there is none */
    const char *detail;
};

struct handoff_work {
    struct pg *pg;
    const struct handoff_rules *rules;
    const struct vocabulary *vocabulary;
    const struct batch *batch; /* NULL: none, it is about confirming */
    int64_t now;               /* µs since 1970 */
    struct arena arena;
    json_t *trees; /* an array that owns every tree that is looked at */

    /* Those loaded, in the order of their ids, and what they were when they were. */
    struct handoff *handoff, *before;
    size_t count;

    struct handoff_opening *opening;
    size_t opening_count, opening_capacity;
    struct handoff_closing *closing;
    size_t closing_count, closing_capacity;
    struct handoff_refusal *refusal;
    size_t refusal_count, refusal_capacity;
};

void handoff_work_init(struct handoff_work *work, struct pg *pg, const struct handoff_rules *rules);
void handoff_work_free(struct handoff_work *work);

/* Room for one more in a list. ERR_MEMORY, told. */
int handoff_work_grow(void *list, size_t count, size_t *capacity, size_t size) CHECKED;

/* Data as a tree, owned by the work; NULL where there is none, or it is not JSON. */
int handoff_work_data(struct handoff_work *work, struct span text, json_t **data) CHECKED;

/* Reads, and locks, the live handoffs that the closing rows may close, and those that requests
 * name. The closings learn their customers. */
int handoff_load(struct handoff_work *work) CHECKED;

/* Of handoffs to confirm, whose ids are the elements of an array (a parameter): the events on the
 * timeline that may close them; and themselves, locked, those that are still to be confirmed. */
int handoff_load_closings(struct handoff_work *work, const struct buffer *ids) CHECKED;
int handoff_load_unconfirmed(struct handoff_work *work, const struct buffer *ids,
                             const char *snapshot) CHECKED;

/* The rules on the batch's rows: what they open. */
int handoff_openings(struct handoff_work *work) CHECKED;

/* Writes what was opened and what has changed, and tells of the changes. */
int handoff_write(struct handoff_work *work) CHECKED;

/* Writes what has changed of handoffs to confirm, that they are, and tells of both. */
int handoff_write_confirmed(struct handoff_work *work) CHECKED;

#endif
