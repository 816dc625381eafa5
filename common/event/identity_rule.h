/*
 * What identities.json and the "identity_kinds" of other files say of one kind.
 * Known to the modules that load and apply it; everybody else sees the struct
 * identity_kind at its head.
 *
 *   {"strong": true,          required: ties customers together
 *    "rank": 10,              0 to 1000, lower is stronger; default 100
 *    "normalise": "email",    text | email | phone | domain | code; default text
 *    "deny": ["info@*"]}      values that never tie; '*' at start or end only
 */
#ifndef COMMON_EVENT_IDENTITY_RULE_H
#define COMMON_EVENT_IDENTITY_RULE_H

#include "common/event/identity.h"

enum identity_form {
    IDENTITY_TEXT,   /* trimmed */
    IDENTITY_EMAIL,  /* trimmed, lower case on both sides of the @ */
    IDENTITY_PHONE,  /* E.164 where that is unambiguous */
    IDENTITY_DOMAIN, /* trimmed, lower case, without the root's dot */
    IDENTITY_CODE,   /* upper case, without spaces and punctuation between */
};

struct identity_rule {
    struct identity_kind kind; /* first, so that a kind leads back to its rule */
    enum identity_form form;
    struct span *deny; /* patterns */
    size_t deny_count;
    const char *file; /* that told it first */
};

struct identity_kinds {
    struct arena arena;          /* owns everything below */
    struct identity_rule *rules; /* sorted by name */
    const struct identity_kind **by_rank;
    size_t count;
};

/* Form by its name in a file; false: there is none of that name. */
bool identity_form_named(const char *name, enum identity_form *form);

/* Brings a value into the kind's form; *out may be part of `value`. *sound is
 * false for what cannot be such a thing ("n/a" as e-mail address, a phone number
 * without its country): it is kept, but must not tie. ERR_MEMORY. */
int identity_normalise(enum identity_form form, struct arena *arena, struct span value,
                       struct span *out, bool *sound) CHECKED;

/* Is a normalised value on the deny list? Letters (ASCII) compared without case. */
bool identity_denied(const struct identity_rule *rule, struct span value);

#endif
