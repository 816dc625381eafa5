/*
 * What the parts of handoffs_apply share while they work on a batch: handoff_load.c reads,
 * handoff_openings.c applies the rules, handoff_write.c writes. For them alone.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFF_WORK_H
#define SERVICES_AGGREGATOR_HANDOFF_WORK_H

#include "services/aggregator/handoff_fold.h"
#include "services/aggregator/handoffs.h"

#define HANDOFF_ARRAY_LIMIT ((size_t)64 * 1024 * 1024)

/* What a new handoff has besides. */
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
    const struct batch *batch;
    int64_t now; /* µs since 1970 */
    struct arena arena;
    json_t *trees; /* an array that owns every tree that is looked at */

    /* Those loaded, in the order of their ids, and behind them those that are new. `before`: what
     * the loaded ones were. `trace`: of what changed one, as far as that is known. */
    struct handoff *handoff, *before;
    struct span *trace;
    size_t count, loaded_count, capacity;

    struct handoff_opening *opening; /* the new ones', in their order, once none is dropped */
    size_t opening_count, opening_capacity;
    struct handoff_closing *closing;
    size_t closing_count, closing_capacity;
    struct handoff_refusal *refusal;
    size_t refusal_count, refusal_capacity;
};

/* Room for one more in a list. ERR_MEMORY, told. */
int handoff_work_grow(void *list, size_t count, size_t *capacity, size_t size) CHECKED;

/* Data as a tree, owned by the work; NULL where there is none, or it is not JSON. */
int handoff_work_data(struct handoff_work *work, struct span text, json_t **data) CHECKED;

/* Reads, and locks, the live handoffs of the customers and those that requests name. */
int handoff_load(struct handoff_work *work, const int64_t *customers, size_t count) CHECKED;

/* Events on the timeline that may close the handoffs that are new or whose customer was merged
 * (`merged`, ascending), put among the closings. */
int handoff_load_closings(struct handoff_work *work, const int64_t *merged, size_t count) CHECKED;

/* The rules on the batch's rows: what they open. */
int handoff_openings(struct handoff_work *work) CHECKED;

/* Writes what is new and what has changed, and tells of it. */
int handoff_write(struct handoff_work *work) CHECKED;

#endif
