/*
 * What a department says of a handoff on events.<department>: what its people ask for
 * (throughline.handoff.accept, decline, done, reassign), and what became of a delivery
 * (throughline.handoff.delivered, undeliverable). Pure but for the random id.
 */
#ifndef SERVICES_DEPARTMENT_HANDOFF_MESSAGE_H
#define SERVICES_DEPARTMENT_HANDOFF_MESSAGE_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/event/event_uid.h"
#include "common/kafka/record.h"

struct handoff_message { /* absent spans are left out */
    const char *department;
    struct span type, id;
    struct span handoff_id; /* also the record's key */
    struct span by, note, to;
    int64_t sequence; /* of the opening that is reported; 0: left out */
    struct span traceparent;
    int64_t time_us; /* since 1970 */
};

/* A record in binary mode without topic, its memory from the arena (but for constant texts).
 * ERR_MEMORY. */
int handoff_message_record(const struct handoff_message *message, struct arena *arena,
                           struct record *record) CHECKED;

/* A random UUID (RFC 9562, version 4). ERR_IO, logged: there is no randomness. */
int handoff_message_id(char id[EVENT_UID_TEXT]) CHECKED;

#endif
