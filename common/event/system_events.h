/*
 * What the system itself says, and what it is told about handoffs: types that begin with
 * "throughline.", refused at every door. Pure.
 */
#ifndef COMMON_EVENT_SYSTEM_EVENTS_H
#define COMMON_EVENT_SYSTEM_EVENTS_H

#include "common/base/span.h"

#define SYSTEM_NAME  "throughline"        /* stands where a department's name does */
#define SYSTEM_TOPIC "events.throughline" /* what the system says about a customer */

#define TYPE_HANDOFF_OPENED  "throughline.handoff.opened"
#define TYPE_HANDOFF_UPDATED "throughline.handoff.updated"
#define TYPE_HANDOFF_OVERDUE "throughline.handoff.overdue"
#define TYPE_HANDOFF_CLOSED  "throughline.handoff.closed"
#define TYPE_CUSTOMER_STALE  "throughline.customer.stale"
#define TYPE_ISSUE_UNTOLD    "throughline.issue.untold"

#define TYPE_HANDOFF_REFUSED "throughline.handoff.refused" /* to a department, on no timeline */

#define TYPE_HANDOFF_ACCEPT        "throughline.handoff.accept"
#define TYPE_HANDOFF_DECLINE       "throughline.handoff.decline"
#define TYPE_HANDOFF_DONE          "throughline.handoff.done"
#define TYPE_HANDOFF_REASSIGN      "throughline.handoff.reassign"
#define TYPE_HANDOFF_DELIVERED     "throughline.handoff.delivered"
#define TYPE_HANDOFF_UNDELIVERABLE "throughline.handoff.undeliverable"

/* What people say about a handoff, in bytes: at the door, and in records of it. */
#define HANDOFF_BY_LIMIT   200
#define HANDOFF_NOTE_LIMIT 4000

enum system_event {
    SYSTEM_NONE,   /* not the system's */
    SYSTEM_SAYS,   /* by the aggregator, on SYSTEM_TOPIC */
    SYSTEM_IS_TOLD /* by a department service, on its own topic: requests and reports */
};

enum system_event system_event_of(struct span type);

/* Ends with NULL. */
const char *const *system_events_said(void);

#endif
