/* CloudEvents HTTP binding 1.0: what a POST carries, in all three content modes. */
#ifndef COMMON_EVENT_EVENT_HTTP_H
#define COMMON_EVENT_EVENT_HTTP_H

#include "common/event/event.h"
#include "common/kafka/record.h"

enum event_mode { EVENT_MODE_BINARY, EVENT_MODE_STRUCTURED, EVENT_MODE_BATCH };

/* By content type (media types compared without case, batch before structured);
 * ERR_NOT_FOUND (answer 415) for another application/cloudevents… format. */
int event_http_mode(struct span content_type, enum event_mode *mode) CHECKED;

/* Decodes one event in binary mode: ce- headers (names in any case), percent-
 * decoded once after double quotes are resolved (HTTP binding 3.1.3.2); a
 * ce-datacontenttype is refused; content-type is datacontenttype. Data of a JSON
 * media type must pass json_scan_check. */
int event_from_http(const struct record_header *headers, size_t header_count, struct span body,
                    struct arena *arena, struct event *event, struct fault *fault) CHECKED;

#endif
