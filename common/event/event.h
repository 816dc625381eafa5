/*
 * A CloudEvents 1.0 event in memory, whichever mode it came in.
 *
 * All spans point into the bytes it was decoded from or into the arena given to
 * the decoder; both must outlive the event. Absent attributes are {NULL, 0}.
 */
#ifndef COMMON_EVENT_EVENT_H
#define COMMON_EVENT_EVENT_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/fault.h"

#define EVENT_EXTENSIONS_LIMIT 32
#define EVENT_ID_LIMIT         512   /* bytes of id */
#define EVENT_SOURCE_LIMIT     1024  /* bytes of source */
#define EVENT_TYPE_LIMIT       255   /* bytes of type */
#define EVENT_NAME_LIMIT       64    /* bytes of an attribute's name */
#define EVENT_VALUE_LIMIT      16384 /* bytes of any other attribute's value */

struct event_attribute {
    struct span name, value; /* value in CloudEvents' canonical text form */
};

enum event_data {
    EVENT_DATA_NONE,   /* no data */
    EVENT_DATA_JSON,   /* `data` is JSON text, byte for byte as it came */
    EVENT_DATA_BINARY, /* any other bytes, decoded from base64 where they came so */
};

struct event {
    struct span id, source, type;
    struct span time; /* RFC 3339, as it came */
    struct span subject, datacontenttype, dataschema;
    struct event_attribute extensions[EVENT_EXTENSIONS_LIMIT]; /* sorted by name */
    size_t extension_count;
    enum event_data data_kind;
    struct span data;
};

/* The value of an extension attribute, absent where there is none. */
struct span event_extension(const struct event *event, const char *name);

/* Adds or replaces an extension. ERR_LIMIT when there are too many. */
int event_set_extension(struct event *event, const char *name, struct span value) CHECKED;

/* Takes an extension away, where there is one. */
void event_remove_extension(struct event *event, const char *name);

/* One of the spec's own attributes (specversion among them), all of which are text. */
bool event_attribute_is_core(struct span name);

/* Sets an attribute by its CloudEvents name, with the checks of the spec,
 * section 3: name [a-z0-9]+, specversion "1.0", id/source/type/subject non-empty
 * and within the limits above, source a URI-reference, dataschema a URI, time
 * RFC 3339, datacontenttype a media type, no control characters, valid UTF-8, no
 * attribute twice. Fault's pointer is "/<name>". Decoders use it for every attribute. */
int event_set_attribute(struct event *event, struct span name, struct span value,
                        bool *specversion_seen, struct fault *fault) CHECKED;

/* The required attributes are there: id, source, type and (contract) time. */
int event_check_required(const struct event *event, bool specversion_seen,
                         struct fault *fault) CHECKED;

/* Subtype json or …+json (JSON format, section 3.1.1), parameters aside; also absent. */
bool event_media_type_is_json(struct span content_type);

/* A media type without its parameters is `type`, case aside. */
bool event_media_type_is(struct span content_type, const char *type);

/* Of an event format or a batch of them, whichever: "application/cloudevents…". No data is of such
 * a type: by it a receiver tells a whole event from its data. */
bool event_media_type_is_event(struct span content_type);

#endif
