/*
 * From a system's own payload to an event: what a source file says about it.
 * The grammar stands in docs/sources.md; a mapping decides and does no I/O.
 *
 * A mapping is read-only once loaded: any thread may use it. Everything that a
 * call returns lies in the arena it was given, or is a span of the input, and
 * lives as long as both.
 */
#ifndef SERVICES_DEPARTMENT_MAPPING_H
#define SERVICES_DEPARTMENT_MAPPING_H

#include "common/event/admission.h"
#include "common/kafka/record.h"

struct mapping;

/* `root` is a source file as read (config_read_json): the mapping borrows its
 * strings and keeps a reference. `name` is the source's name; `department` is
 * whose vocabulary the mapped types must be in; `kinds` are the identity kinds
 * that it may name. Fault pointers point into the file. */
int mapping_new(const char *name, json_t *root, const struct department *department,
                const struct identity_kinds *kinds, struct mapping **out,
                struct fault *fault) CHECKED;
void mapping_free(struct mapping *mapping); /* NULL is fine */

/* The request headers that the mapping reads, as written in the file, sorted,
 * each once. The intake stores them with a quarantined record, so that a replay
 * maps what the system had sent. */
size_t mapping_headers(const struct mapping *mapping, const char *const **names);

/* One thing that the system reported: the body, or an element of the array. */
struct mapping_element {
    struct span text; /* its own bytes, exactly; json_scan_check has accepted them */
    json_t *tree;     /* the same, parsed; borrowed from the body's tree */
    size_t index;     /* in the array; 0 for a body that is one thing */
};

/* Which bytes of a body are elements: `text` and `tree` as json_read gave them.
 * Start with a cursor of zeros; false at the end. Where "each" leads to no
 * array, the body itself is the one element (and no rule will know it). */
struct mapping_cursor {
    struct span array; /* the rest is the function's own */
    json_t *elements;
    size_t at, index;
    bool started;
};
bool mapping_next(const struct mapping *mapping, struct span text, json_t *tree,
                  struct mapping_cursor *cursor, struct mapping_element *element);

enum mapping_outcome { MAPPED_EVENT, MAPPED_IGNORED, MAPPED_QUARANTINE };

struct mapped {
    enum mapping_outcome outcome;
    int rule;                 /* which of "rules" matched; -1: none */
    const char *reason;       /* why ignored or quarantined; NULL for an event. At most 512 bytes,
                                 without the payload's values: it may be logged */
    struct event event;       /* data: the mapped members, then the payload's bytes */
    struct event_facts facts; /* as event_admit found them */
};

/* Maps one element and asks event_admit whether the result may go on the
 * timeline; what it refuses is for quarantine, with its reason. `headers` are
 * the request's (or those stored with a quarantined record); names without
 * regard to case, the first of several counts.
 *
 * The intake and the replay of quarantined records both call this; stored bytes
 * of an element are mapped with their tree from json_read and index 0.
 * 0 whatever the outcome; ERR_MEMORY. */
int mapping_apply(const struct mapping *mapping, const struct admission *admission,
                  const struct mapping_element *element, const struct record_header *headers,
                  size_t header_count, struct arena *arena, struct mapped *mapped) CHECKED;

#endif
