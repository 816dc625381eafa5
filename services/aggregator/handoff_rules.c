#include "services/aggregator/handoff_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "services/aggregator/handoff_rules_internal.h"

#define FILE_NAME "handoffs.json"

static int by_type(const void *a, const void *b)
{
    const struct handoff_interest *x = a, *y = b;
    int order = strcmp(x->type, y->type);
    if (order != 0)
        return order;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1; /* they stand in one array */
    return (x->use > y->use) - (x->use < y->use);
}

static void add_interests(struct handoff_rules *rules, const struct handoff_rule *rule,
                          const char *const *types, size_t count, enum handoff_use use)
{
    for (size_t i = 0; i < count; i++)
        rules->interests[rules->interest_count++] = (struct handoff_interest){types[i], rule, use};
}

/* By type, so that an event finds what is wanted of it in one search. */
static int index_rules(struct loaded_rules *loaded)
{
    struct handoff_rules *rules = &loaded->rules;
    rules->interests = arena_alloc(&loaded->arena, (rules->count * 3 * HANDOFF_TYPES_LIMIT + 1) *
                                                       sizeof *rules->interests);
    if (!rules->interests)
        return ERR_MEMORY;
    for (size_t i = 0; i < rules->count; i++) {
        const struct handoff_rule *rule = &rules->rules[i];
        add_interests(rules, rule, rule->when, rule->when_count, HANDOFF_OPENS);
        add_interests(rules, rule, rule->done_when, rule->done_when_count, HANDOFF_DONE);
        add_interests(rules, rule, rule->cancel_when, rule->cancel_when_count, HANDOFF_CANCELS);
    }
    qsort(rules->interests, rules->interest_count, sizeof *rules->interests, by_type);
    return 0;
}

static int load(const char *config_dir, const struct vocabulary *vocabulary,
                struct loaded_rules *loaded, struct fault *fault)
{
    arena_init(&loaded->arena, RULES_MEMORY_LIMIT);
    int rc = config_read_json(config_dir, FILE_NAME, &loaded->root, fault);
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = handoff_rules_parse(loaded, vocabulary, fault);
    if (rc == 0)
        rc = handoff_rules_check_loops(&loaded->rules, fault);
    return rc == 0 ? index_rules(loaded) : rc;
}

int handoff_rules_load(const char *config_dir, const struct vocabulary *vocabulary,
                       struct handoff_rules **out, struct fault *fault)
{
    struct loaded_rules *loaded = calloc(1, sizeof *loaded);
    if (!loaded) {
        log_error("The handoff rules cannot be loaded: no memory");
        return ERR_MEMORY;
    }
    int rc = load(config_dir, vocabulary, loaded, fault);
    if (rc != 0) {
        handoff_rules_free(&loaded->rules);
        return rc;
    }
    *out = &loaded->rules;
    return 0;
}

void handoff_rules_free(struct handoff_rules *rules)
{
    if (!rules)
        return;
    struct loaded_rules *loaded = (struct loaded_rules *)(void *)rules;
    json_decref(loaded->root);
    arena_free(&loaded->arena);
    free(loaded);
}

const struct handoff_interest *handoff_rules_of(const struct handoff_rules *rules, struct span type,
                                                size_t *count)
{
    size_t low = 0, high = rules ? rules->interest_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (span_compare(span_of(rules->interests[middle].type), type) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (rules && end < rules->interest_count && span_is(type, rules->interests[end].type))
        end++;
    *count = end - low;
    return *count > 0 ? &rules->interests[low] : NULL;
}

bool handoff_rule_wants(const struct handoff_rule *rule, int64_t occurred_at, int64_t now,
                        json_t *data)
{
    return now - occurred_at <= rule->max_age_ms * 1000 && predicate_holds(rule->condition, data) &&
           !(rule->unless && predicate_holds(rule->unless, data));
}

const struct handoff_rule *handoff_rule_named(const struct handoff_rules *rules, struct span name)
{
    for (size_t i = 0; rules && i < rules->count; i++)
        if (span_is(name, rules->rules[i].name))
            return &rules->rules[i];
    return NULL;
}
