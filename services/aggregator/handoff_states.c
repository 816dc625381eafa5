#include "services/aggregator/handoff_states.h"

#define MOVE(state)                                                                                \
    {                                                                                              \
        EFFECT_MOVES, HANDOFF_##state                                                              \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        EFFECT_NOTHING, HANDOFF_OPEN                                                               \
    }
#define REFUSED                                                                                    \
    {                                                                                              \
        EFFECT_REFUSED, HANDOFF_OPEN                                                               \
    }

/*
 * Somebody may accept, or even finish, before the report of the delivery has come round. What was
 * accepted can still be declined: who took it may find out that it is not theirs. What was declined
 * can be reassigned: nothing is left lying. What is done or cancelled stays so.
 */
static const struct handoff_move moves[HANDOFF_STATES][HANDOFF_ACTIONS] = {
    [HANDOFF_OPEN] = {[ACTION_DELIVERED] = MOVE(DELIVERED),
                      [ACTION_UNDELIVERABLE] = MOVE(OPEN),
                      [ACTION_ACCEPT] = MOVE(ACCEPTED),
                      [ACTION_DECLINE] = MOVE(DECLINED),
                      [ACTION_REASSIGN] = MOVE(OPEN),
                      [ACTION_DONE] = MOVE(FINISHED),
                      [ACTION_DONE_WHEN] = MOVE(FINISHED),
                      [ACTION_CANCEL_WHEN] = MOVE(CANCELLED),
                      [ACTION_OVERDUE] = MOVE(OPEN)},
    [HANDOFF_DELIVERED] = {[ACTION_DELIVERED] = NOTHING,
                           [ACTION_UNDELIVERABLE] = NOTHING,
                           [ACTION_ACCEPT] = MOVE(ACCEPTED),
                           [ACTION_DECLINE] = MOVE(DECLINED),
                           [ACTION_REASSIGN] = MOVE(OPEN),
                           [ACTION_DONE] = MOVE(FINISHED),
                           [ACTION_DONE_WHEN] = MOVE(FINISHED),
                           [ACTION_CANCEL_WHEN] = MOVE(CANCELLED),
                           [ACTION_OVERDUE] = MOVE(DELIVERED)},
    [HANDOFF_ACCEPTED] = {[ACTION_DELIVERED] = NOTHING,
                          [ACTION_UNDELIVERABLE] = NOTHING,
                          [ACTION_ACCEPT] = REFUSED,
                          [ACTION_DECLINE] = MOVE(DECLINED),
                          [ACTION_REASSIGN] = MOVE(OPEN),
                          [ACTION_DONE] = MOVE(FINISHED),
                          [ACTION_DONE_WHEN] = MOVE(FINISHED),
                          [ACTION_CANCEL_WHEN] = MOVE(CANCELLED),
                          [ACTION_OVERDUE] = MOVE(ACCEPTED)},
    [HANDOFF_FINISHED] = {[ACTION_DELIVERED] = NOTHING,
                          [ACTION_UNDELIVERABLE] = NOTHING,
                          [ACTION_ACCEPT] = REFUSED,
                          [ACTION_DECLINE] = REFUSED,
                          [ACTION_REASSIGN] = REFUSED,
                          [ACTION_DONE] = REFUSED,
                          [ACTION_DONE_WHEN] = NOTHING,
                          [ACTION_CANCEL_WHEN] = NOTHING,
                          [ACTION_OVERDUE] = NOTHING},
    [HANDOFF_DECLINED] = {[ACTION_DELIVERED] = NOTHING,
                          [ACTION_UNDELIVERABLE] = NOTHING,
                          [ACTION_ACCEPT] = REFUSED,
                          [ACTION_DECLINE] = REFUSED,
                          [ACTION_REASSIGN] = MOVE(OPEN),
                          [ACTION_DONE] = REFUSED,
                          [ACTION_DONE_WHEN] = NOTHING,
                          [ACTION_CANCEL_WHEN] = NOTHING,
                          [ACTION_OVERDUE] = NOTHING},
    [HANDOFF_CANCELLED] = {[ACTION_DELIVERED] = NOTHING,
                           [ACTION_UNDELIVERABLE] = NOTHING,
                           [ACTION_ACCEPT] = REFUSED,
                           [ACTION_DECLINE] = REFUSED,
                           [ACTION_REASSIGN] = REFUSED,
                           [ACTION_DONE] = REFUSED,
                           [ACTION_DONE_WHEN] = NOTHING,
                           [ACTION_CANCEL_WHEN] = NOTHING,
                           [ACTION_OVERDUE] = NOTHING},
};

static const char *const state_names[HANDOFF_STATES] = {
    [HANDOFF_OPEN] = "open",         [HANDOFF_DELIVERED] = "delivered",
    [HANDOFF_ACCEPTED] = "accepted", [HANDOFF_FINISHED] = "done",
    [HANDOFF_DECLINED] = "declined", [HANDOFF_CANCELLED] = "cancelled",
};

static const char *const action_names[HANDOFF_ACTIONS] = {
    [ACTION_DELIVERED] = "delivered", [ACTION_UNDELIVERABLE] = "undeliverable",
    [ACTION_ACCEPT] = "accept",       [ACTION_DECLINE] = "decline",
    [ACTION_REASSIGN] = "reassign",   [ACTION_DONE] = "done",
    [ACTION_DONE_WHEN] = "done_when", [ACTION_CANCEL_WHEN] = "cancel_when",
    [ACTION_OVERDUE] = "overdue",
};

struct handoff_move handoff_move(enum handoff_state state, enum handoff_action action)
{
    return moves[state][action];
}

bool handoff_is_closed(enum handoff_state state)
{
    return state == HANDOFF_FINISHED || state == HANDOFF_DECLINED || state == HANDOFF_CANCELLED;
}

const char *handoff_state_name(enum handoff_state state)
{
    return state_names[state];
}

const char *handoff_action_name(enum handoff_action action)
{
    return action_names[action];
}

bool handoff_state_named(struct span name, enum handoff_state *state)
{
    for (int i = 0; i < HANDOFF_STATES; i++) {
        if (span_is(name, state_names[i])) {
            *state = (enum handoff_state)i;
            return true;
        }
    }
    return false;
}
