/* What handoff_rules_load is made of. */
#ifndef SERVICES_AGGREGATOR_HANDOFF_RULES_INTERNAL_H
#define SERVICES_AGGREGATOR_HANDOFF_RULES_INTERNAL_H

#include "services/aggregator/handoff_rules.h"

#define RULES_MEMORY_LIMIT ((size_t)16 * 1024 * 1024)

struct loaded_rules {
    struct handoff_rules rules; /* first, so that it leads back here */
    struct arena arena;
    json_t *root; /* the rules borrow their texts from it */
};

/* Fills loaded->rules from loaded->root. */
int handoff_rules_parse(struct loaded_rules *loaded, const struct vocabulary *vocabulary,
                        struct fault *fault) CHECKED;

/* ERR_INVALID where handoffs of some rules would open each other for ever. */
int handoff_rules_check_loops(const struct handoff_rules *rules, struct fault *fault) CHECKED;

#endif
