/* CloudEvents JSON format 1.0: one event as application/cloudevents+json. */
#ifndef COMMON_EVENT_EVENT_JSON_H
#define COMMON_EVENT_EVENT_JSON_H

#include "common/base/buffer.h"
#include "common/event/event.h"

/* `text` must have passed json_read (well-formed, no duplicate members). Data
 * stays a span of `text`, byte for byte; data_base64 is decoded into the arena.
 * A null attribute is absent (JSON format, section 2.2), "data": null is data. */
int event_from_json(struct span text, struct arena *arena, struct event *event,
                    struct fault *fault) CHECKED;

/* The event as one JSON object. */
void event_to_json(const struct event *event, struct buffer *out);

#endif
