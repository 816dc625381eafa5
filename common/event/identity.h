/*
 * Identities: what a customer is known by. A kind says whose it is (a person's;
 * an account's where the name starts with "account."), whether it is strong
 * (one customer only, so it ties customers together) or weak (attached, never
 * ties), its rank (lower is stronger), how values are normalised, and which
 * values are denied (info@…, free-mail domains as account domain): a denied
 * value counts as weak.
 *
 * Kinds come from identities.json and from "identity_kinds" in department and
 * source files, so that a new department or source is a file and nothing else.
 * The same kind told twice must be told alike.
 */
#ifndef COMMON_EVENT_IDENTITY_H
#define COMMON_EVENT_IDENTITY_H

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/fault.h"

#define IDENTITY_VALUE_LIMIT 256 /* bytes of a normalised value */
#define IDENTITY_COUNT_LIMIT 32  /* identities of one event */

struct identity_kinds; /* read-only once loaded; any thread */

struct identity_kind {
    const char *name;
    bool account; /* names the organisation */
    bool strong;
    int rank;
};

struct identity {
    const struct identity_kind *kind;
    struct span value; /* normalised, UTF-8, not empty */
    bool ties;         /* strong and not denied */
};

/* The identities of one event: those that tie before those that do not, persons
 * before accounts, then by rank, kind and value; no duplicates. */
struct identities {
    struct identity items[IDENTITY_COUNT_LIMIT];
    size_t count;
};

int identity_kinds_load(const char *config_dir, struct identity_kinds **out,
                        struct fault *fault) CHECKED;
void identity_kinds_free(struct identity_kinds *kinds);
const struct identity_kind *identity_kind_find(const struct identity_kinds *kinds,
                                               struct span name);
/* All kinds in the order of their rank. */
size_t identity_kinds_all(const struct identity_kinds *kinds,
                          const struct identity_kind *const **all);

/* Normalises one value and adds it. Unknown kind, empty or too long value, one
 * too many: ERR_INVALID; the pointer is left to the caller. */
int identities_add(const struct identity_kinds *kinds, struct arena *arena, struct identities *to,
                   struct span kind, struct span value, struct fault *fault) CHECKED;

/* The attribute `customer`: "email=ann%40acme.example&stripe=cus_9" (contract).
 * Fault pointer "/customer". Needs at least one identity. */
int identities_from_attribute(const struct identity_kinds *kinds, struct arena *arena,
                              struct span attribute, struct identities *out,
                              struct fault *fault) CHECKED;

/* The member data.customer: {"email": "…", "stripe": ["…"], "account": {"domain": "…"}}.
 * Fault pointers begin with "/data/customer". */
int identities_from_data(const struct identity_kinds *kinds, struct arena *arena, json_t *customer,
                         struct identities *out, struct fault *fault) CHECKED;

bool identities_equal(const struct identities *a, const struct identities *b);

/* The attribute's canonical text. ptr NULL without memory. */
struct span identities_to_attribute(const struct identities *identities, struct arena *arena);

/* "kind=value", percent-encoded: the Kafka key when of the strongest. */
struct span identity_key(const struct identity *identity, struct arena *arena);

/* The strongest of a person's (else an account's) identities; NULL where none. */
const struct identity *identities_person(const struct identities *identities);
const struct identity *identities_account(const struct identities *identities);

#endif
