/*
 * What opens, closes and cancels handoffs: config/handoffs.json, a list of rules.
 *
 *   {"rule": "invoice-the-won-deal",       its name: [a-z][a-z0-9-]{0,63}, once
 *    "when": "sales.deal.won",             the type of the event that opens, or a list of types
 *    "if": {"/amount": {"min": 1}},        a predicate on data (common/json/predicate.h); optional
 *    "unless": {"/test": true},            the opposite; optional
 *    "while": {"open_issue": true,         about the customer at that moment; each optional:
 *              "known_for": "180d",          an issue is open, or none is; first seen so long ago;
 *              "first": true},               no handoff of this rule was ever opened for them
 *    "to": "billing",                      a department, or "owner"
 *    "fallback": "sales",                  a department: where there is no owner, and for what was
 *                                          declined and came from no department
 *    "ask": "Issue the first invoice",     one line for people
 *    "due": "4h",                          from opening, and anew from each reassignment
 *    "max_age": "7d",                      older events open nothing; default 30d
 *    "done_when": "billing.invoice.issued",  a type, or a list of them; optional
 *    "cancel_when": ["sales.deal.lost"],   likewise
 *    "match": [["/deal", "/deal"]],        pointers into data of the opening and the closing
 *                                          event that must be equal; optional
 *    "brief": ["/amount", "/promises"],    members of data that the receiver wants to see; optional
 *    "note": "for people"}
 *
 * Types must stand in a department's vocabulary or be the system's own. A chain of rules whose
 * handoffs open each other for ever is refused. Read-only once loaded: any thread. Pure but for
 * reading the file.
 */
#ifndef SERVICES_AGGREGATOR_HANDOFF_RULES_H
#define SERVICES_AGGREGATOR_HANDOFF_RULES_H

#include <stdint.h>

#include "common/event/vocabulary.h"
#include "common/json/predicate.h"

#define HANDOFF_RULES_LIMIT   256
#define HANDOFF_TYPES_LIMIT   32 /* of when, of done_when, of cancel_when */
#define HANDOFF_MATCHES_LIMIT 8
#define HANDOFF_BRIEF_LIMIT   32
#define HANDOFF_ASK_LIMIT     200 /* bytes */
#define HANDOFF_POINTER_LIMIT 255 /* bytes */
#define HANDOFF_TO_OWNER      "owner"

struct handoff_match {
    const char *opening, *closing; /* JSON Pointers into data */
};

enum handoff_issue { ISSUE_ANY, ISSUE_OPEN, ISSUE_NONE };

struct handoff_rule {
    const char *name, *to, *ask;
    const char *fallback; /* NULL: none */
    const struct predicate *condition, *unless;
    enum handoff_issue open_issue;
    int64_t known_for_ms; /* 0: does not matter */
    bool first;
    int64_t due_ms, max_age_ms;
    const char *when[HANDOFF_TYPES_LIMIT];
    size_t when_count;
    const char *done_when[HANDOFF_TYPES_LIMIT];
    size_t done_when_count;
    const char *cancel_when[HANDOFF_TYPES_LIMIT];
    size_t cancel_when_count;
    struct handoff_match match[HANDOFF_MATCHES_LIMIT];
    size_t match_count;
    const char *brief[HANDOFF_BRIEF_LIMIT];
    size_t brief_count;
};

enum handoff_use { HANDOFF_OPENS, HANDOFF_DONE, HANDOFF_CANCELS };

/* What a type means to a rule. */
struct handoff_interest {
    const char *type;
    const struct handoff_rule *rule;
    enum handoff_use use;
};

struct handoff_rules {
    struct handoff_rule *rules;
    size_t count;
    struct handoff_interest *interests; /* sorted by type, then in the order of the rules */
    size_t interest_count;
};

/* handoffs.json of the folder. Without the file there are no rules. */
int handoff_rules_load(const char *config_dir, const struct vocabulary *vocabulary,
                       struct handoff_rules **out, struct fault *fault) CHECKED;
void handoff_rules_free(struct handoff_rules *rules);

/* What rules want of a type: NULL and 0 for nearly all, and without rules. Cheap enough for every
 * event. */
const struct handoff_interest *handoff_rules_of(const struct handoff_rules *rules, struct span type,
                                                size_t *count);

/* Does the rule open a handoff for an event of its type, as far as the event itself tells? Times in
 * µs; `data` is NULL where it is no JSON. */
bool handoff_rule_wants(const struct handoff_rule *rule, int64_t occurred_at, int64_t now,
                        json_t *data);

/* NULL where there is none (any more): a handoff outlives its rule. */
const struct handoff_rule *handoff_rule_named(const struct handoff_rules *rules, struct span name);

#endif
