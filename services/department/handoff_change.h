/*
 * A change of a handoff as it comes from handoffs.<department>, made ready for the department's
 * system: its structured CloudEvent, and what queue, log and report want to know of it. Pure.
 */
#ifndef SERVICES_DEPARTMENT_HANDOFF_CHANGE_H
#define SERVICES_DEPARTMENT_HANDOFF_CHANGE_H

#include <stdint.h>

#include "common/base/fault.h"
#include "common/event/event_uid.h"
#include "common/kafka/record.h"

struct handoff_change {
    char handoff_id[EVENT_UID_TEXT];
    char *event_id;     /* also the webhook-id: printable ASCII */
    char *type;         /* "throughline.handoff.opened" */
    char *traceparent;  /* NULL: none */
    bool opened;        /* what became of it is reported */
    int64_t sequence;   /* 0: none (throughline.handoff.refused) */
    int64_t written_ms; /* when Kafka got it, ms since 1970; -1: not told */
    char *body;         /* the CloudEvent in JSON format */
    size_t body_len;
};

/* From a record in binary or structured mode. ERR_INVALID: it is no change of a handoff, the fault
 * says why; ERR_MEMORY. The caller's to handoff_change_free. */
int handoff_change_read(const struct record *record, struct handoff_change **out,
                        struct fault *fault) CHECKED;

void handoff_change_free(struct handoff_change *change); /* NULL is fine */

/* What it takes, in bytes. */
size_t handoff_change_size(const struct handoff_change *change);

#endif
