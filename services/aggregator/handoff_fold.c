#include "services/aggregator/handoff_fold.h"

#include <stdlib.h>

#include "common/json/json_pointer.h"

static int by_time(const void *a, const void *b)
{
    const struct handoff_closing *x = a, *y = b;
    if (x->occurred_at != y->occurred_at)
        return x->occurred_at < y->occurred_at ? -1 : 1;
    int order = memcmp(x->uid.bytes, y->uid.bytes, sizeof x->uid.bytes);
    return order != 0 ? order : strcmp(x->rule->name, y->rule->name);
}

json_t *handoff_match_values(const struct handoff_rule *rule, json_t *data)
{
    json_t *values = json_array();
    for (size_t i = 0; values && i < rule->match_count; i++) {
        json_t *value = json_pointer_get(data, rule->match[i].opening);
        if (json_array_append_new(values, value ? json_incref(value) : json_null()) != 0) {
            json_decref(values);
            return NULL;
        }
    }
    return values;
}

bool handoff_matches(const struct handoff_rule *rule, const json_t *match, json_t *closing_data)
{
    for (size_t i = 0; i < rule->match_count; i++) {
        const json_t *opening = json_array_get(match, i);
        const json_t *closing = json_pointer_get(closing_data, rule->match[i].closing);
        if (!opening || !closing || json_is_null(opening) || !json_equal(opening, closing))
            return false;
    }
    return true;
}

static bool is_older(const struct handoff *a, const struct handoff *b)
{
    if (a->occurred_at != b->occurred_at)
        return a->occurred_at < b->occurred_at;
    return memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes) < 0;
}

static bool can_end(const struct handoff *handoff, const struct handoff_closing *closing)
{
    bool theirs = handoff->customer_id == closing->customer_id ||
                  handoff->customer_id == closing->account_customer_id;
    return theirs && !handoff_is_closed(handoff->state) &&
           handoff->occurred_at <= closing->occurred_at &&
           span_is(handoff->rule, closing->rule->name) &&
           handoff_matches(closing->rule, handoff->match, closing->data);
}

static void end_oldest(struct handoff *handoffs, size_t count,
                       const struct handoff_closing *closing)
{
    struct handoff *oldest = NULL;
    for (size_t i = 0; i < count; i++)
        if (can_end(&handoffs[i], closing) && (!oldest || is_older(&handoffs[i], oldest)))
            oldest = &handoffs[i];
    if (!oldest)
        return;
    enum handoff_action action =
        closing->use == HANDOFF_DONE ? ACTION_DONE_WHEN : ACTION_CANCEL_WHEN;
    oldest->state = handoff_move(oldest->state, action).next;
    oldest->closed_at = closing->occurred_at;
    oldest->closing_event_id = closing->event_id;
    oldest->closing_uid = closing->uid;
    if (closing->trace.ptr)
        oldest->trace = closing->trace;
    oldest->sequence++;
    oldest->changed = true;
}

void handoff_sort_closings(struct handoff_closing *closings, size_t count)
{
    if (count > 0)
        qsort(closings, count, sizeof *closings, by_time);
}

void handoff_fold_closings(struct handoff *handoffs, size_t handoff_count,
                           const struct handoff_closing *closings, size_t closing_count)
{
    for (size_t i = 0; i < closing_count; i++)
        if (i == 0 || by_time(&closings[i - 1], &closings[i]) != 0)
            end_oldest(handoffs, handoff_count, &closings[i]);
}

static void start_anew(struct handoff *handoff, const struct handoff_request *request,
                       int64_t due_ms)
{
    handoff->to = request->to;
    handoff->due_at = request->occurred_at + due_ms * 1000;
    handoff->overdue = handoff->undeliverable = false;
    handoff->delivered_at = handoff->accepted_at = handoff->closed_at = 0;
    handoff->accepted_by = handoff->closed_by = (struct span){0};
}

static void note_what(struct handoff *handoff, const struct handoff_request *request,
                      int64_t due_ms)
{
    switch (request->action) {
    case ACTION_DELIVERED:
        handoff->delivered_at = request->occurred_at;
        handoff->undeliverable = false;
        break;
    case ACTION_UNDELIVERABLE:
        handoff->undeliverable = true;
        break;
    case ACTION_ACCEPT:
        handoff->accepted_at = request->occurred_at;
        handoff->accepted_by = request->by;
        break;
    case ACTION_REASSIGN:
        start_anew(handoff, request, due_ms);
        break;
    case ACTION_OVERDUE:
        handoff->overdue = true;
        break;
    default:
        handoff->closed_at = request->occurred_at;
        handoff->closed_by = request->by;
        break;
    }
}

enum handoff_effect handoff_fold_request(struct handoff *handoff,
                                         const struct handoff_request *request, int64_t due_ms)
{
    struct handoff_move move = handoff_move(handoff->state, request->action);
    /* Who says again what they said before is told nothing new, and nothing is wrong. */
    bool again = handoff->state == HANDOFF_ACCEPTED && request->action == ACTION_ACCEPT &&
                 span_equal(handoff->accepted_by, request->by);
    if (again)
        return EFFECT_NOTHING;
    if (move.effect != EFFECT_MOVES)
        return move.effect;
    handoff->state = move.next;
    note_what(handoff, request, due_ms);
    /* Reports are no news to the receiver, and nobody's words. */
    if (request->action != ACTION_DELIVERED && request->action != ACTION_UNDELIVERABLE) {
        handoff->note = request->note;
        handoff->sequence++;
    }
    if (request->action == ACTION_REASSIGN)
        handoff->opened_sequence = handoff->sequence;
    handoff->changed = true;
    return EFFECT_MOVES;
}
