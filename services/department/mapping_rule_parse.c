#include <stdio.h>

#include "common/base/config.h"
#include "common/json/json_pointer.h"
#include "services/department/mapping_parse.h"

static void step(char here[256], const char *at, const char *name)
{
    snprintf(here, 256, "%s", at);
    json_pointer_append(here, 256, name);
}

/* The rule's own member, else the file's: *at becomes its pointer. NULL: neither has it. */
static json_t *own_or_shared(const struct parsing *parsing, json_t *rule, const char *key,
                             const char *rule_at, char at[256])
{
    json_t *own = json_object_get(rule, key);
    step(at, own ? rule_at : "", key);
    return own ? own : json_object_get(parsing->root, key);
}

static int parse_attribute(const struct parsing *parsing, json_t *json, const char *key,
                           const char *rule_at, enum value_use use, struct value **out)
{
    char at[256];
    json_t *value = own_or_shared(parsing, json, key, rule_at, at);
    *out = NULL;
    return value ? value_parse(&parsing->mapping->arena, value, at, use, out, parsing->fault) : 0;
}

/* Types */

static int check_type_name(const struct parsing *parsing, const struct rule *rule, const char *name,
                           const char *at)
{
    const struct event_type *type = NULL;
    struct fault wrong = {.pointer = ""};
    int rc = department_type(parsing->department, span_of(name), &type, &wrong);
    if (rc == ERR_INVALID)
        return fault_set(parsing->fault, at, "%s", wrong.detail);
    for (size_t i = 0; !rc && type && i < type->required_count; i++) {
        const char *member = type->required[i].name;
        bool mapped = strcmp(member, "customer") == 0;
        for (size_t j = 0; j < rule->data.count && !mapped; j++)
            mapped = strcmp(rule->data.items[j].name, member) == 0;
        if (!mapped)
            return fault_set(parsing->fault, at,
                             "%s requires the member \"%s\", which \"data\" "
                             "does not map",
                             name, member);
    }
    return rc;
}

/* Every type that a value can come to, as far as the file tells. */
static int check_types(const struct parsing *parsing, const struct rule *rule,
                       const struct value *value, const char *at)
{
    const char *from;
    json_t *to;
    int rc = 0;
    if (value->map) {
        json_object_foreach(value->map, from, to) if (!rc) rc =
            check_type_name(parsing, rule, json_string_value(to), at);
        return rc;
    }
    if (value->kind == VALUE_CONSTANT)
        return check_type_name(parsing, rule, json_string_value(value->constant), at);
    for (size_t i = 0; i < value->count && !rc; i++)
        rc = check_types(parsing, rule, value->members[i].value, at);
    return rc;
}

static int parse_type(const struct parsing *parsing, struct rule *rule, json_t *type,
                      const char *at)
{
    struct arena *arena = &parsing->mapping->arena;
    int rc;
    if (json_is_string(type)) { /* a type is no pointer: it stands for itself */
        if (!(rule->type = arena_alloc(arena, sizeof *rule->type)))
            return ERR_MEMORY;
        *rule->type = (struct value){.kind = VALUE_CONSTANT, .constant = type};
        rc = 0;
    } else {
        rc = value_parse(arena, type, at, VALUE_AS_TEXT, &rule->type, parsing->fault);
    }
    return rc ? rc : check_types(parsing, rule, rule->type, at);
}

/* Customer */

static int add_identity(const struct parsing *parsing, struct value_list *to, const char *prefix,
                        const char *name, json_t *json, const char *at)
{
    char kind[128];
    snprintf(kind, sizeof kind, "%s%s", prefix, name);
    if (!identity_kind_find(parsing->kinds, span_of(kind)))
        return fault_set(parsing->fault, at,
                         "%s is no identity kind: name it in \"identity_kinds\" here or in "
                         "identities.json",
                         kind);
    struct value_member *item = &to->items[to->count++];
    item->name = name;
    return value_parse(&parsing->mapping->arena, json, at, VALUE_AS_TEXT, &item->value,
                       parsing->fault);
}

static int parse_identities(const struct parsing *parsing, struct value_list *to,
                            struct value_list *accounts, json_t *json, const char *at)
{
    const char *prefix = accounts ? "" : "account.", *name;
    json_t *one;
    if (!json_is_object(json) || json_object_size(json) == 0)
        return fault_set(parsing->fault, at,
                         "must be an object of identity kinds, with one at least");
    to->items = arena_alloc(&parsing->mapping->arena, json_object_size(json) * sizeof *to->items);
    if (!to->items)
        return ERR_MEMORY;
    json_object_foreach(json, name, one)
    {
        char here[256];
        step(here, at, name);
        int rc = accounts && strcmp(name, "account") == 0
                     ? parse_identities(parsing, accounts, NULL, one, here)
                     : add_identity(parsing, to, prefix, name, one, here);
        if (rc)
            return rc;
    }
    return 0;
}

static int parse_customer(const struct parsing *parsing, struct rule *rule, json_t *json,
                          const char *rule_at)
{
    char at[256];
    struct buffer places;
    json_t *customer = own_or_shared(parsing, json, "customer", rule_at, at);
    if (!customer)
        return fault_set(parsing->fault, rule_at,
                         "must say who the customer is: \"customer\", here or for the whole file");
    int rc = parse_identities(parsing, &rule->customer, &rule->account, customer, at);
    if (rc)
        return rc;
    buffer_init(&places, 384);
    for (size_t i = 0; i < rule->customer.count; i++)
        value_places(rule->customer.items[i].value, &places);
    for (size_t i = 0; i < rule->account.count; i++)
        value_places(rule->account.items[i].value, &places);
    rule->no_customer =
        arena_printf(&parsing->mapping->arena, "no customer identity: none of %.*s has a value",
                     SPAN_ARGS(buffer_span(&places)));
    buffer_free(&places);
    return rule->no_customer ? 0 : ERR_MEMORY;
}

/* Data */

static bool wants_currency(const struct value *value, void *context)
{
    (void)context;
    return value->scale == SCALE_MINOR_UNITS;
}

static void remove_member(struct value_list *list, size_t at)
{
    list->count--;
    memmove(&list->items[at], &list->items[at + 1], (list->count - at) * sizeof list->items[0]);
}

/* Adds a member, or puts it in the place of the file's shared one; null takes that away. */
static int add_member(const struct parsing *parsing, struct rule *rule, const char *name,
                      json_t *json, const char *at)
{
    size_t i = 0;
    if (strcmp(name, "customer") == 0 || strcmp(name, "payload") == 0)
        return fault_set(parsing->fault, at, "\"%s\" has a place of its own outside \"data\"",
                         name);
    while (i < rule->data.count && strcmp(rule->data.items[i].name, name) != 0)
        i++;
    if (json_is_null(json)) {
        if (i == rule->data.count)
            return fault_set(parsing->fault, at,
                             "null takes away a member that the whole file "
                             "shares, and it shares none of this name");
        remove_member(&rule->data, i);
        return 0;
    }
    rule->data.items[i].name = name;
    if (i == rule->data.count)
        rule->data.count++;
    return value_parse(&parsing->mapping->arena, json, at, VALUE_AS_DATA,
                       &rule->data.items[i].value, parsing->fault);
}

static int add_members(const struct parsing *parsing, struct rule *rule, json_t *members,
                       const char *at)
{
    const char *name;
    json_t *one;
    if (members && !json_is_object(members))
        return fault_set(parsing->fault, at, "must be an object of values");
    json_object_foreach(members, name, one)
    {
        char here[256];
        step(here, at, name);
        int rc = add_member(parsing, rule, name, one, here);
        if (rc)
            return rc;
    }
    return 0;
}

static int parse_data(const struct parsing *parsing, struct rule *rule, json_t *json,
                      const char *rule_at)
{
    json_t *shared = json_object_get(parsing->root, "data"), *own = json_object_get(json, "data");
    size_t most = json_object_size(shared) + json_object_size(own);
    char here[256];
    rule->data.items = arena_alloc(&parsing->mapping->arena, (most + 1) * sizeof *rule->data.items);
    if (!rule->data.items)
        return ERR_MEMORY;
    rule->minor_units.exceptions = json_object_get(parsing->root, "minor_units");
    int rc = add_members(parsing, rule, shared, "/data");
    step(here, rule_at, "data");
    if (!rc)
        rc = add_members(parsing, rule, own, here);
    for (size_t i = 0; i < rule->data.count && !rc; i++)
        if (strcmp(rule->data.items[i].name, "currency") == 0)
            rule->minor_units.currency = rule->data.items[i].value;
    for (size_t i = 0; i < rule->data.count && !rc; i++)
        if (!rule->minor_units.currency &&
            value_any(rule->data.items[i].value, wants_currency, NULL))
            return fault_set(
                parsing->fault, here,
                "\"%s\" is in minor units: map \"currency\" too, which tells how small "
                "they are",
                rule->data.items[i].name);
    return rc;
}

/* Rules */

static int parse_mapped(const struct parsing *parsing, struct rule *rule, json_t *json,
                        const char *at)
{
    static const struct {
        const char *key, *use;
    } needed[] = {{"id", "by which an event sent again is recognised"},
                  {"time", "by which the timeline is ordered"}};
    char here[256];
    int rc = parse_data(parsing, rule, json, at);
    step(here, at, "type");
    if (!rc)
        rc = parse_type(parsing, rule, json_object_get(json, "type"), here);
    if (!rc)
        rc = parse_attribute(parsing, json, "id", at, VALUE_AS_TEXT, &rule->id);
    if (!rc)
        rc = parse_attribute(parsing, json, "time", at, VALUE_AS_TIME, &rule->time);
    if (!rc)
        rc = parse_attribute(parsing, json, "source", at, VALUE_AS_TEXT, &rule->source);
    for (size_t i = 0; i < 2 && !rc; i++)
        if (!(i == 0 ? rule->id : rule->time))
            return fault_set(parsing->fault, at, "must have \"%s\", here or for the whole file: %s",
                             needed[i].key, needed[i].use);
    return rc ? rc : parse_customer(parsing, rule, json, at);
}

static int parse_reason(const struct parsing *parsing, struct rule *rule, json_t *json,
                        const char *key, const char *at)
{
    static const char *const keys[] = {"if", "unless", "ignore", "quarantine", "note", NULL};
    json_t *reason = json_object_get(json, key);
    char here[256];
    step(here, at, key);
    if (!json_is_string(reason) || json_string_length(reason) == 0 ||
        json_string_length(reason) > 400)
        return fault_set(parsing->fault, here, "must be the reason, in at most 400 bytes");
    rule->reason = json_string_value(reason);
    return config_only_keys(json, at, keys, parsing->fault);
}

static int parse_action(const struct parsing *parsing, struct rule *rule, json_t *json,
                        const char *at)
{
    static const char *const keys[] = {"if",     "unless", "type",     "id",   "time",
                                       "source", "data",   "customer", "note", NULL};
    bool type = json_object_get(json, "type"), ignore = json_object_get(json, "ignore"),
         quarantine = json_object_get(json, "quarantine");
    if (type + ignore + quarantine != 1)
        return fault_set(parsing->fault, at,
                         "must have one of \"type\", \"ignore\" and \"quarantine\"");
    rule->action = type ? RULE_MAP : ignore ? RULE_IGNORE : RULE_QUARANTINE;
    if (!type)
        return parse_reason(parsing, rule, json, ignore ? "ignore" : "quarantine", at);
    int rc = config_only_keys(json, at, keys, parsing->fault);
    return rc ? rc : parse_mapped(parsing, rule, json, at);
}

static int parse_condition(const struct parsing *parsing, json_t *json, const char *key,
                           const char *at, const struct condition **out)
{
    json_t *one = json_object_get(json, key);
    struct condition *condition = NULL;
    char here[256];
    step(here, at, key);
    int rc =
        one ? condition_parse(&parsing->mapping->arena, one, here, &condition, parsing->fault) : 0;
    *out = condition;
    return rc;
}

int rule_parse(const struct parsing *parsing, struct rule *rule, json_t *json, const char *at)
{
    if (!json_is_object(json))
        return fault_set(parsing->fault, at, "must be an object");
    *rule = (struct rule){0};
    int rc = parse_condition(parsing, json, "if", at, &rule->when);
    if (!rc)
        rc = parse_condition(parsing, json, "unless", at, &rule->unless);
    return rc ? rc : parse_action(parsing, rule, json, at);
}
