/*
 * The sources: systems that send their own webhooks, each a file
 * config/sources/<name>.json, served at /webhooks/<name> by the department that
 * it names. The grammar stands in docs/sources.md.
 *
 * Read-only once loaded: any thread.
 */
#ifndef SERVICES_DEPARTMENT_SOURCE_CONFIG_H
#define SERVICES_DEPARTMENT_SOURCE_CONFIG_H

#include "common/event/vocabulary.h"
#include "common/http/signature.h"
#include "services/department/mapping.h"

struct source {
    char *name;
    const struct department *department; /* borrowed from the vocabulary */
    struct signature *signature;         /* NULL: the source is off */
    char *off; /* why it is off: "environment variable … is not set"; NULL: it is on */
    struct mapping *mapping; /* also of a source that is off: replay needs no secret */
};

struct sources { /* sorted by name */
    struct source *items;
    size_t count;
};

/* Reads and checks every source file, of all departments: an unknown key, a bad
 * pointer, a type that the vocabulary does not have, … is ERR_INVALID with the
 * file and the pointer. A missing secret is no error: it turns its source off.
 * `vocabulary` and `kinds` must outlive the result. */
int sources_load(const char *config_dir, const struct vocabulary *vocabulary,
                 const struct identity_kinds *kinds, struct sources **out,
                 struct fault *fault) CHECKED;
void sources_free(struct sources *sources); /* NULL is fine */

/* NULL where there is none of that name. */
const struct source *sources_find(const struct sources *sources, struct span name);

#endif
