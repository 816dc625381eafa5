/*
 * A department's vocabulary: config/departments/<name>.json.
 *
 *   {"listen": "127.0.0.1:8101",              optional; throughline.json's section wins
 *    "unknown_events": "refuse" | "accept",   optional, default "refuse"
 *    "identity_kinds": {…},                   optional, see identity.h
 *    "stale_after": "30d",                    optional; option stale_after else
 *    "events": {"sales.deal.won": {
 *        "required": {"amount": "number", "currency": "string"},
 *        "summary": "Deal won: {/amount} {/currency}",
 *        "money": "none|promised|billed|received|refunded",
 *        "touch": true}, …}}
 *
 * JSON types: string, number, boolean, object, array. Read-only once loaded.
 */
#ifndef COMMON_EVENT_VOCABULARY_H
#define COMMON_EVENT_VOCABULARY_H

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/json/predicate.h"

enum money { MONEY_NONE, MONEY_PROMISED, MONEY_BILLED, MONEY_RECEIVED, MONEY_REFUNDED };

struct event_type {
    const char *name;
    enum money money;
    bool touch;
    const char *summary; /* template; NULL: none */
    struct required_member {
        const char *name;
        struct value_test test; /* of a type */
    } * required;
    size_t required_count;
};

struct department {
    const char *name;   /* [a-z][a-z0-9-]{0,31} */
    const char *listen; /* NULL: not given */
    bool accept_unknown;
    int64_t stale_after_ms;   /* 0: not given */
    struct event_type *types; /* sorted by name */
    size_t type_count;
};

struct vocabulary { /* all departments, sorted by name */
    struct department *departments;
    size_t count;
};

int vocabulary_load(const char *config_dir, struct vocabulary **out, struct fault *fault) CHECKED;
void vocabulary_free(struct vocabulary *vocabulary);

const struct department *vocabulary_department(const struct vocabulary *vocabulary,
                                               struct span name);

/* Finds a type. ERR_INVALID (pointer "/type") for another department's type, for
 * "throughline.…", for one that is not in the vocabulary unless the department
 * accepts unknown ones (then *type is NULL and 0 is returned). */
int department_type(const struct department *department, struct span name,
                    const struct event_type **type, struct fault *fault) CHECKED;

const char *money_name(enum money money);

#endif
