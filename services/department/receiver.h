/*
 * The department's own system, which its handoffs are POSTed to: each change as a structured
 * CloudEvent (application/cloudevents+json), signed by Standard Webhooks. One try at a time; what
 * comes of it is told, not decided here.
 */
#ifndef SERVICES_DEPARTMENT_RECEIVER_H
#define SERVICES_DEPARTMENT_RECEIVER_H

#include <stdatomic.h>

#include "common/base/config.h"
#include "services/department/delivery_queue.h"
#include "services/department/handoff_change.h"

struct receiver; /* one thread; keeps its connection */

/* Does a department's configuration say where handoffs go? */
bool receiver_is_set(const struct config *config);

/* Its settings, without connecting: 0 where there is no receiver. */
int receiver_check(const struct config *config, struct fault *fault) CHECKED;

/* `cut`, once true, ends a try under way. The settings are copied. ERR_MEMORY. */
int receiver_new(const struct config *config, const atomic_bool *cut,
                 struct receiver **out) CHECKED;
void receiver_free(struct receiver *receiver); /* NULL is fine */

struct receipt {
    enum delivery_outcome outcome;
    int64_t retry_after_ms; /* at most option deliver_retry_ceiling; -1: not asked for */
    char detail[320];       /* "answered 422", "did not answer: …": no credentials, no body */
};

/* Sends a change, once. Bounded in time and in what is read of the answer. */
void receiver_post(struct receiver *receiver, const struct handoff_change *change, int64_t now_s,
                   struct receipt *receipt);

/* What a status means for a change. */
enum delivery_outcome receiver_outcome(int status);

#endif
