/*
 * POST /handoffs/<handoff id>/{accept,decline,done,reassign}: what the department's people do with
 * a handoff, published as throughline.handoff.<verb> on events.<department>. 202 once Kafka has it;
 * whether it can be done the aggregator decides, and tells by throughline.handoff.refused if not.
 */
#ifndef SERVICES_DEPARTMENT_HANDOFF_REQUESTS_H
#define SERVICES_DEPARTMENT_HANDOFF_REQUESTS_H

#include "common/event/vocabulary.h"
#include "services/department/handoff_message.h"
#include "services/department/intake.h"

#define HANDOFFS_PATH "/handoffs/"

/* Handler; `context` is a struct intake. */
http_handler handoff_request;

/* A request as it was asked; spans point into path, body tree and constant texts. */
struct handoff_ask {
    char handoff_id[EVENT_UID_TEXT];
    struct span type; /* throughline.handoff.<verb> */
    struct span by, note, to;
};

/* The path behind HANDOFFS_PATH. ERR_NOT_FOUND: there is no such path; ERR_INVALID: it is one, but
 * its id is none. */
int handoff_ask_path(struct span path, struct handoff_ask *ask, struct fault *fault) CHECKED;

/* The body, after the path. `own`: the department that is asked; of `vocabulary` are the others. */
int handoff_ask_body(json_t *body, const struct vocabulary *vocabulary, const char *own,
                     struct handoff_ask *ask, struct fault *fault) CHECKED;

/* An Idempotency-Key as the event's id: printable ASCII, quotes around it aside. */
int handoff_ask_key(struct span value, struct span *id, struct fault *fault) CHECKED;

#endif
