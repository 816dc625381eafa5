/*
 * What events and requests do to handoffs: which handoff a closing event closes, what a request
 * changes. Works on handoffs in memory, whose rows are locked; what it changed is
 * marked. Pure, so that a test needs no database.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFF_FOLD_H
#define SERVICES_AGGREGATOR_HANDOFF_FOLD_H

#include <jansson.h>
#include <stdint.h>

#include "common/event/event_uid.h"
#include "services/aggregator/handoff_rules.h"
#include "services/aggregator/handoff_states.h"

/* Spans live as long as the arena or the trees behind them. Times are µs since 1970, 0: never. */
struct handoff {
    struct event_uid id; /* of rule and opening event, so that it cannot open twice */
    struct span rule;
    int64_t identity_id, customer_id;
    struct span from, to; /* departments; from is absent where the system itself opened it */
    enum handoff_state state;
    bool overdue, undeliverable;
    int64_t occurred_at; /* the opening event's: only later events close it */
    int64_t opened_at, due_at, delivered_at, accepted_at, closed_at;
    struct span accepted_by, closed_by, note; /* note: what was said last */
    struct span closing_event_id;
    struct event_uid closing_uid;
    json_t *match;    /* values of the opening event, one for each pair of the rule; borrowed */
    int64_t due_ms;   /* how long its receiver has, from the opening */
    int64_t sequence; /* + 1 with each change that its receiver is told */
    int64_t opened_sequence; /* that of the opening, or of the last reassignment */
    int64_t depth;     /* how many handoffs lead to it, each opened by what the last one said */
    struct span trace; /* traceparent of the opening, then of what changed it last */
    bool told;         /* its receiver was told of the opening */
    bool changed;
};

/* An event that a rule closes or cancels handoffs by. */
struct handoff_closing {
    int64_t identity_id, customer_id;
    int64_t account_identity_id, account_customer_id; /* 0: it names no account besides */
    int64_t occurred_at;
    struct event_uid uid;
    const struct handoff_rule *rule;
    enum handoff_use use; /* HANDOFF_DONE, HANDOFF_CANCELS */
    struct span event_id, trace;
    json_t *data; /* borrowed, where its rule looks into it; NULL: not JSON */
    size_t row;   /* of the batch that it came with */
};

/*
 * Each event, in the order of (occurred_at, uid), ends at most one handoff of its rule, however
 * often it is listed: the oldest live one of its customers (an event may name a person and an
 * account) that occurred at or before it and whose
 * `match` values it carries. `closings` come sorted. A handoff whose rule is gone is ended
 * by nobody but people.
 */
void handoff_fold_closings(struct handoff *handoffs, size_t handoff_count,
                           const struct handoff_closing *closings, size_t closing_count);
void handoff_sort_closings(struct handoff_closing *closings, size_t count);

/* Do the opening event's values equal those of a closing event? A value that either lacks never
 * does. */
bool handoff_matches(const struct handoff_rule *rule, const json_t *match, json_t *closing_data);

/* The values of an opening event that `match` looks at: an array, null for what is not there. The
 * caller's to json_decref; NULL without memory. */
json_t *handoff_match_values(const struct handoff_rule *rule, json_t *data);

/* What a department asks or reports. */
struct handoff_request {
    enum handoff_action action;
    int64_t occurred_at;
    struct span by, note, to; /* `to`: of a reassignment */
};

/* Applies a request; `due_ms` is the rule's, for a clock that starts anew. EFFECT_REFUSED changes
 * nothing. */
enum handoff_effect handoff_fold_request(struct handoff *handoff,
                                         const struct handoff_request *request, int64_t due_ms);

#endif
