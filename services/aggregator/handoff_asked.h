/*
 * What a department asks or reports about a handoff: an event throughline.handoff.<verb> on
 * events.<department>, whose data is
 *
 *   {"handoff": "<uuid>",
 *    "by": "ann",         who asks; required of requests
 *    "note": "…",         optional; required to decline
 *    "to": "billing",     a department; required to reassign
 *    "sequence": 1}       of reports: which telling of the opening it is about
 *
 * It names no customer: it is about the handoff's. Pure.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFF_ASKED_H
#define SERVICES_AGGREGATOR_HANDOFF_ASKED_H

#include "common/base/fault.h"
#include "common/event/event.h"
#include "common/event/event_uid.h"
#include "services/aggregator/handoff_states.h"

struct handoff_asked {
    struct event_uid handoff;
    enum handoff_action action;
    struct span by, note, to; /* absent: ptr NULL */
    int64_t sequence;         /* 0: not said */
};

/* The action that a type asks for or reports. */
bool handoff_action_of(struct span type, enum handoff_action *action);

/* Does the department's service report it (or does somebody ask for it)? */
bool handoff_is_report(enum handoff_action action);

/* Spans in the arena. ERR_INVALID with a pointer below /data, ERR_MEMORY. */
int handoff_asked_read(const struct event *event, struct arena *arena, struct handoff_asked *asked,
                       struct fault *fault) CHECKED;

/* One line for people: "Asked: done (Rosa): all is set up", whether granted or not; of a report
 * "Handoff: delivered". In the arena. ERR_MEMORY. */
int handoff_asked_summary(const struct handoff_asked *asked, struct arena *arena,
                          struct span *summary) CHECKED;

#endif
