#include "services/department/mapping_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "common/json/json_pointer.h"
#include "services/department/currency.h"

#define MAPPING_ARENA_LIMIT ((size_t)8 * 1024 * 1024)

static int parse_rules(const struct parsing *parsing, json_t *rules)
{
    struct mapping *mapping = parsing->mapping;
    size_t i, count = json_array_size(rules);
    json_t *one;
    if (count == 0 || count > MAPPING_RULES_LIMIT)
        return fault_set(parsing->fault, "/rules", "must be a list of 1 to %d rules",
                         MAPPING_RULES_LIMIT);
    if (!(mapping->rules = arena_alloc(&mapping->arena, count * sizeof *mapping->rules)))
        return ERR_MEMORY;
    json_array_foreach(rules, i, one)
    {
        char at[32];
        snprintf(at, sizeof at, "/rules/%zu", i);
        int rc = rule_parse(parsing, &mapping->rules[i], one, at);
        if (rc)
            return rc;
        const struct rule *rule = &mapping->rules[i];
        if (!rule->when && !rule->unless && i + 1 < count)
            return fault_set(parsing->fault, at, "has no condition: no rule after it is reached");
    }
    mapping->rule_count = count;
    return 0;
}

/* Headers */

struct header_set {
    struct mapping *mapping;
    bool full;
};

static void note_header(const char *name, void *context)
{
    struct header_set *set = context;
    struct mapping *mapping = set->mapping;
    size_t at = 0;
    while (at < mapping->header_count && strcasecmp(mapping->headers[at], name) < 0)
        at++;
    if (at < mapping->header_count && strcasecmp(mapping->headers[at], name) == 0)
        return;
    if (mapping->header_count == MAPPING_HEADERS_LIMIT) {
        set->full = true;
        return;
    }
    memmove(&mapping->headers[at + 1], &mapping->headers[at],
            (mapping->header_count - at) * sizeof mapping->headers[0]);
    mapping->headers[at] = name;
    mapping->header_count++;
}

static bool note_value(const struct value *value, void *context)
{
    if (value->kind == VALUE_HEADER)
        note_header(value->text, context);
    if (value->when)
        condition_headers(value->when, note_header, context);
    if (value->unless)
        condition_headers(value->unless, note_header, context);
    return false;
}

static void note_rule(const struct rule *rule, struct header_set *set)
{
    struct value *const single[] = {rule->type, rule->id, rule->time, rule->source};
    const struct value_list *const lists[] = {&rule->customer, &rule->account, &rule->data};
    if (rule->when)
        condition_headers(rule->when, note_header, set);
    if (rule->unless)
        condition_headers(rule->unless, note_header, set);
    for (size_t i = 0; i < 4; i++)
        if (single[i])
            value_any(single[i], note_value, set);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < lists[i]->count; j++)
            value_any(lists[i]->items[j].value, note_value, set);
}

/* The file */

static int check_minor_units(const struct parsing *parsing)
{
    const char *code;
    json_t *all = json_object_get(parsing->root, "minor_units"), *decimals;
    if (all && !json_is_object(all))
        return fault_set(parsing->fault, "/minor_units",
                         "must be an object: currency code to number of decimals");
    json_object_foreach(all, code, decimals)
    {
        char at[256];
        snprintf(at, sizeof at, "/minor_units");
        json_pointer_append(at, sizeof at, code);
        if (currency_exponent(span_of(code)) < 0)
            return fault_set(parsing->fault, at, "is no currency of ISO 4217");
        if (!json_is_integer(decimals) || json_integer_value(decimals) < 0 ||
            json_integer_value(decimals) > 6)
            return fault_set(parsing->fault, at, "must be a whole number from 0 to 6");
    }
    return 0;
}

static int parse_file(const struct parsing *parsing)
{
    struct mapping *mapping = parsing->mapping;
    json_t *each = json_object_get(parsing->root, "each");
    json_t *payload = json_object_get(parsing->root, "payload");
    json_t *otherwise = json_object_get(parsing->root, "otherwise");
    const char *other = otherwise ? json_string_value(otherwise) : "quarantine";
    if (each && (!json_is_string(each) || json_string_value(each)[0] != '/' ||
                 !json_pointer_valid(json_string_value(each))))
        return fault_set(parsing->fault, "/each", "must be a JSON Pointer to an array");
    if (payload && !json_is_boolean(payload))
        return fault_set(parsing->fault, "/payload", "must be true or false");
    if (!other || (strcmp(other, "quarantine") != 0 && strcmp(other, "ignore") != 0))
        return fault_set(parsing->fault, "/otherwise", "must be \"quarantine\" or \"ignore\"");
    mapping->each = json_string_value(each);
    mapping->payload = !json_is_false(payload);
    mapping->ignore_others = strcmp(other, "ignore") == 0;
    int rc = check_minor_units(parsing);
    if (!rc)
        rc = parse_rules(parsing, json_object_get(parsing->root, "rules"));
    struct header_set set = {mapping, false};
    for (size_t i = 0; i < mapping->rule_count && !rc; i++)
        note_rule(&mapping->rules[i], &set);
    return set.full ? fault_set(parsing->fault, "/rules", "read more than %d request headers",
                                MAPPING_HEADERS_LIMIT)
                    : rc;
}

int mapping_new(const char *name, json_t *root, const struct department *department,
                const struct identity_kinds *kinds, struct mapping **out, struct fault *fault)
{
    struct mapping *mapping = calloc(1, sizeof *mapping);
    if (!mapping)
        return ERR_MEMORY;
    arena_init(&mapping->arena, MAPPING_ARENA_LIMIT);
    mapping->root = json_incref(root);
    mapping->fallback_source = arena_printf(&mapping->arena, "/webhooks/%s", name);
    int rc = mapping->fallback_source
                 ? parse_file(&(struct parsing){mapping, root, department, kinds, fault})
                 : ERR_MEMORY;
    if (rc) {
        mapping_free(mapping);
        return rc;
    }
    *out = mapping;
    return 0;
}

void mapping_free(struct mapping *mapping)
{
    if (!mapping)
        return;
    arena_free(&mapping->arena);
    json_decref(mapping->root);
    free(mapping);
}

size_t mapping_headers(const struct mapping *mapping, const char *const **names)
{
    *names = mapping->headers;
    return mapping->header_count;
}
