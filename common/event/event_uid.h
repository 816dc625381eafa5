/*
 * event_uid: the first 128 bits of SHA-256 over length-prefixed source and id
 * (each length as 4 bytes, big-endian). With the moment it occurred it is the
 * primary key of the timeline, and so the duplicate check.
 */
#ifndef COMMON_EVENT_EVENT_UID_H
#define COMMON_EVENT_EVENT_UID_H

#include "common/base/error.h"
#include "common/base/span.h"

#define EVENT_UID_TEXT 37 /* bytes of its text, with NUL */

struct event_uid {
    unsigned char bytes[16];
};

struct event_uid event_uid_of(struct span source, struct span id);

/* Of any number of parts, in the same way. */
struct event_uid event_uid_of_parts(const struct span *parts, size_t count);

/* As a UUID is written (RFC 9562, section 4): lower case out, any case in. ERR_INVALID. */
void event_uid_text(const struct event_uid *uid, char text[EVENT_UID_TEXT]);
int event_uid_parse(struct span text, struct event_uid *uid) CHECKED;

#endif
