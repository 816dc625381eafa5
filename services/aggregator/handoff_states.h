/*
 * The life of a handoff, as a table: what each action does in each state. docs/protocol.md shows
 * the same table, and a test compares them. Pure.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFF_STATES_H
#define SERVICES_AGGREGATOR_HANDOFF_STATES_H

#include <stdbool.h>

#include "common/base/span.h"

enum handoff_state {
    HANDOFF_OPEN,      /* waits for its receiver to be told */
    HANDOFF_DELIVERED, /* the receiver's system has it */
    HANDOFF_ACCEPTED,  /* somebody looks after it */
    HANDOFF_FINISHED,  /* "done" */
    HANDOFF_DECLINED,  /* back to the department it came from */
    HANDOFF_CANCELLED,
    HANDOFF_STATES
};

enum handoff_action {
    ACTION_DELIVERED,     /* report: the receiver's system took it */
    ACTION_UNDELIVERABLE, /* report: it did not, and nobody tries any more */
    ACTION_ACCEPT,        /* requests of people */
    ACTION_DECLINE,
    ACTION_REASSIGN,
    ACTION_DONE,
    ACTION_DONE_WHEN, /* an event of the rule's done_when */
    ACTION_CANCEL_WHEN,
    ACTION_OVERDUE, /* the watch: the due time has passed */
    HANDOFF_ACTIONS
};

enum handoff_effect {
    EFFECT_MOVES,   /* to `next`, which may be the same state with something noted */
    EFFECT_NOTHING, /* it is so already, or matters no more: not an error */
    EFFECT_REFUSED  /* told to whoever asked, with the state */
};

struct handoff_move {
    enum handoff_effect effect;
    enum handoff_state next;
};

struct handoff_move handoff_move(enum handoff_state state, enum handoff_action action);

bool handoff_is_closed(enum handoff_state state);

const char *handoff_state_name(enum handoff_state state);
const char *handoff_action_name(enum handoff_action action);
bool handoff_state_named(struct span name, enum handoff_state *state);

#endif
