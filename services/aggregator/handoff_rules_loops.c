/*
 * Rules that open each other for ever. A handoff says four things of itself (opened, updated,
 * overdue, closed); a rule whose "when" is one of them opens another handoff, which says the same
 * of itself again. Such a rule must name, by "if" or "unless" on /rule, whose handoffs it means;
 * the graph of who opens whom must have no way back. What departments send cannot be seen here:
 * the aggregator opens at most HANDOFF_DAY_LIMIT handoffs of a rule for one customer within a day,
 * and says so of each further one.
 */
#include <stdio.h>

#include "common/event/system_events.h"
#include "services/aggregator/handoff_rules_internal.h"

static bool names(const json_t *constants, const char *name)
{
    if (json_is_string(constants))
        return strcmp(json_string_value(constants), name) == 0;
    for (size_t i = 0; i < json_array_size(constants); i++) {
        const char *one = json_string_value(json_array_get(constants, i));
        if (one && strcmp(one, name) == 0)
            return true;
    }
    return false;
}

/* Does it open on what a handoff says of itself? */
static bool listens(const struct handoff_rule *rule)
{
    for (size_t i = 0; i < rule->when_count; i++)
        if (span_starts_with(span_of(rule->when[i]), SYSTEM_NAME ".handoff."))
            return true;
    return false;
}

/* May a handoff of `cause` open one of `effect`? */
static bool opens(const struct handoff_rule *cause, const struct handoff_rule *effect)
{
    if (!listens(effect))
        return false;
    const json_t *only = predicate_constants(effect->condition, "/rule");
    const json_t *none = predicate_constants(effect->unless, "/rule");
    if (only && !names(only, cause->name))
        return false;
    /* "unless" with more members than this one lets the handoff through at times. */
    return !(none && predicate_size(effect->unless) == 1 && names(none, cause->name));
}

struct walk {
    const struct handoff_rules *rules;
    size_t path[HANDOFF_RULES_LIMIT];
    size_t depth;
    bool on_path[HANDOFF_RULES_LIMIT], finished[HANDOFF_RULES_LIMIT];
    struct fault *fault;
};

static int tell_loop(const struct walk *walk, size_t back_to)
{
    char chain[400] = "", at[24];
    size_t len = 0, from = 0;
    while (walk->path[from] != back_to)
        from++;
    for (size_t i = from; i < walk->depth && len < sizeof chain; i++)
        len += (size_t)snprintf(chain + len, sizeof chain - len, "%s, ",
                                walk->rules->rules[walk->path[i]].name);
    snprintf(at, sizeof at, "/%zu", back_to);
    return fault_set(walk->fault, at,
                     "opens itself for ever: %s%s: name in \"if\" (or \"unless\") by \"/rule\" "
                     "whose handoffs are meant",
                     chain, walk->rules->rules[back_to].name);
}

static int visit(struct walk *walk, size_t rule)
{
    walk->path[walk->depth++] = rule;
    walk->on_path[rule] = true;
    for (size_t next = 0; next < walk->rules->count; next++) {
        if (walk->finished[next] || !opens(&walk->rules->rules[rule], &walk->rules->rules[next]))
            continue;
        int rc = walk->on_path[next] ? tell_loop(walk, next) : visit(walk, next);
        if (rc != 0)
            return rc;
    }
    walk->on_path[rule] = false;
    walk->finished[rule] = true;
    walk->depth--;
    return 0;
}

int handoff_rules_check_loops(const struct handoff_rules *rules, struct fault *fault)
{
    struct walk walk = {.rules = rules, .fault = fault};
    for (size_t i = 0; i < rules->count; i++) {
        int rc = walk.finished[i] ? 0 : visit(&walk, i);
        if (rc != 0)
            return rc;
    }
    return 0;
}
