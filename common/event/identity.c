#include "common/event/identity.h"

#include <stdio.h>

#include "common/base/hex.h"
#include "common/event/event_text.h"
#include "common/event/identity_rule.h"
#include "common/json/json_pointer.h"

/* For fault_set, where the pointer is the caller's affair: leave what is there. */
static const char *kept_pointer(const struct fault *fault)
{
    return fault ? fault->pointer : "";
}

static int compare(const struct identity *a, const struct identity *b)
{
    if (a->ties != b->ties)
        return a->ties ? -1 : 1;
    if (a->kind == b->kind)
        return span_compare(a->value, b->value);
    if (a->kind->account != b->kind->account)
        return a->kind->account ? 1 : -1;
    if (a->kind->rank != b->kind->rank)
        return a->kind->rank < b->kind->rank ? -1 : 1;
    return strcmp(a->kind->name, b->kind->name);
}

static int insert(struct identities *to, const struct identity *identity, struct fault *fault)
{
    size_t at = to->count;
    while (at > 0) {
        int order = compare(&to->items[at - 1], identity);
        if (order == 0)
            return 0;
        if (order < 0)
            break;
        at--;
    }
    if (to->count == IDENTITY_COUNT_LIMIT)
        return fault_set(fault, kept_pointer(fault), "names more than %d identities",
                         IDENTITY_COUNT_LIMIT);
    memmove(&to->items[at + 1], &to->items[at], (to->count - at) * sizeof *to->items);
    to->items[at] = *identity;
    to->count++;
    return 0;
}

/* As identities_add, but what is stored may be part of `value`. */
static int add(const struct identity_kinds *kinds, struct arena *arena, struct identities *to,
               struct span name, struct span value, struct fault *fault)
{
    char quoted[EVENT_TEXT_QUOTE];
    const struct identity_kind *kind = identity_kind_find(kinds, name);
    if (!kind)
        return fault_set(fault, kept_pointer(fault),
                         "identity kind \"%s\" is not known; kinds stand in identities.json and "
                         "under \"identity_kinds\" in department and source files",
                         event_text_quote(name, quoted));
    const struct identity_rule *rule = (const struct identity_rule *)(const void *)kind;
    struct identity identity = {.kind = kind};
    bool sound;
    value = event_text_trim(value);
    if (!event_text_valid(value))
        return fault_set(fault, kept_pointer(fault), "%s: must be UTF-8 without control characters",
                         kind->name);
    if (identity_normalise(rule->form, arena, value, &identity.value, &sound) != 0)
        return ERR_MEMORY;
    if (identity.value.len == 0)
        return fault_set(fault, kept_pointer(fault), "%s: the value is empty", kind->name);
    if (identity.value.len > IDENTITY_VALUE_LIMIT)
        return fault_set(fault, kept_pointer(fault), "%s: the value is longer than %d bytes",
                         kind->name, IDENTITY_VALUE_LIMIT);
    identity.ties = kind->strong && sound && !identity_denied(rule, identity.value);
    return insert(to, &identity, fault);
}

int identities_add(const struct identity_kinds *kinds, struct arena *arena, struct identities *to,
                   struct span kind, struct span value, struct fault *fault)
{
    struct span copy = arena_copy(arena, value);
    return copy.ptr ? add(kinds, arena, to, kind, copy, fault) : ERR_MEMORY;
}

static int add_pair(const struct identity_kinds *kinds, struct arena *arena, struct identities *to,
                    struct span pair, struct fault *fault)
{
    const char *equals = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
    if (!equals)
        return fault_set(fault, "/customer",
                         "must be kind=value pairs joined by '&', as email=ann%%40acme.example");
    size_t length = (size_t)(equals - pair.ptr);
    struct span value;
    int result = percent_decode(arena, (struct span){equals + 1, pair.len - length - 1}, &value);
    if (result == ERR_INVALID)
        return fault_set(fault, "/customer", "a '%%' must be followed by two hex digits");
    if (result != 0)
        return result;
    return add(kinds, arena, to, (struct span){pair.ptr, length}, value, fault);
}

int identities_from_attribute(const struct identity_kinds *kinds, struct arena *arena,
                              struct span attribute, struct identities *out, struct fault *fault)
{
    out->count = 0;
    size_t start = 0;
    while (start <= attribute.len) {
        const char *end = start < attribute.len
                              ? memchr(attribute.ptr + start, '&', attribute.len - start)
                              : NULL;
        size_t length = end ? (size_t)(end - attribute.ptr) - start : attribute.len - start;
        struct span pair = {attribute.ptr + start, length};
        int result = add_pair(kinds, arena, out, pair, fault);
        if (result == ERR_INVALID && fault)
            snprintf(fault->pointer, sizeof fault->pointer, "/customer");
        if (result != 0)
            return result;
        start += length + 1;
    }
    return 0;
}

/* One walk through data.customer. */
struct walk {
    const struct identity_kinds *kinds;
    struct arena *arena;
    struct identities *out;
    struct fault *fault;
};

static int add_scalar(const struct walk *walk, struct span kind, json_t *value)
{
    struct span text = {json_string_value(value), json_string_length(value)};
    if (json_is_integer(value))
        text =
            span_of(arena_printf(walk->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value)));
    else if (json_is_string(value))
        text = arena_copy(walk->arena, text);
    else
        return fault_set(walk->fault, kept_pointer(walk->fault),
                         "must be a text, a whole number, or a list of them");
    return text.ptr ? add(walk->kinds, walk->arena, walk->out, kind, text, walk->fault)
                    : ERR_MEMORY;
}

/* A kind's value or values; on failure the pointer is the index, or empty. */
static int add_values(const struct walk *walk, struct span kind, json_t *value)
{
    size_t i;
    json_t *item;
    if (walk->fault)
        walk->fault->pointer[0] = '\0';
    if (json_is_null(value))
        return 0;
    if (!json_is_array(value))
        return add_scalar(walk, kind, value);
    json_array_foreach(value, i, item)
    {
        int result = add_scalar(walk, kind, item);
        char index[24];
        snprintf(index, sizeof index, "/%zu", i);
        if (result == ERR_INVALID)
            fault_prefix(walk->fault, index);
        if (result != 0)
            return result;
    }
    return 0;
}

/* The pointer of the value that is to blame, before what add_values left there. */
static void prefix_member(struct fault *fault, const char *object, const char *name)
{
    char pointer[sizeof fault->pointer];
    snprintf(pointer, sizeof pointer, "%s", object);
    json_pointer_append(pointer, sizeof pointer, name);
    fault_prefix(fault, pointer);
}

static int add_account(const struct walk *walk, json_t *account)
{
    const char *name;
    json_t *value;
    if (json_is_null(account))
        return 0;
    if (!json_is_object(account))
        return fault_set(walk->fault, "/data/customer/account",
                         "must be an object, as {\"domain\": \"acme.example\"}");
    json_object_foreach(account, name, value)
    {
        char *kind = arena_printf(walk->arena, "account.%s", name);
        if (!kind)
            return ERR_MEMORY;
        int result = add_values(walk, span_of(kind), value);
        if (result == ERR_INVALID)
            prefix_member(walk->fault, "/data/customer/account", name);
        if (result != 0)
            return result;
    }
    return 0;
}

int identities_from_data(const struct identity_kinds *kinds, struct arena *arena, json_t *customer,
                         struct identities *out, struct fault *fault)
{
    struct walk walk = {kinds, arena, out, fault};
    const char *name;
    json_t *value;
    out->count = 0;
    if (!json_is_object(customer))
        return fault_set(fault, "/data/customer",
                         "must be an object of identities, as {\"email\": \"ann@acme.example\"}");
    json_object_foreach(customer, name, value)
    {
        int result;
        if (strcmp(name, "account") == 0) {
            result = add_account(&walk, value);
        } else {
            result = add_values(&walk, span_of(name), value);
            if (result == ERR_INVALID)
                prefix_member(fault, "/data/customer", name);
        }
        if (result != 0)
            return result;
    }
    return 0;
}

bool identities_equal(const struct identities *a, const struct identities *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].kind != b->items[i].kind ||
            !span_equal(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

/* Kind names need no encoding: they are made of unreserved characters. */
static char *write_pair(char *out, const struct identity *identity)
{
    size_t length = strlen(identity->kind->name);
    memcpy(out, identity->kind->name, length);
    out[length] = '=';
    return percent_write(out + length + 1, identity->value);
}

static size_t pair_room(const struct identity *identity)
{
    return strlen(identity->kind->name) + 1 + identity->value.len * 3;
}

struct span identities_to_attribute(const struct identities *identities, struct arena *arena)
{
    size_t room = 0;
    for (size_t i = 0; i < identities->count; i++)
        room += pair_room(&identities->items[i]) + 1;
    char *text = arena_alloc(arena, room), *end = text;
    if (!text)
        return (struct span){NULL, 0};
    for (size_t i = 0; i < identities->count; i++) {
        if (i > 0)
            *end++ = '&';
        end = write_pair(end, &identities->items[i]);
    }
    return (struct span){text, (size_t)(end - text)};
}

struct span identity_key(const struct identity *identity, struct arena *arena)
{
    char *text = arena_alloc(arena, pair_room(identity));
    if (!text)
        return (struct span){NULL, 0};
    return (struct span){text, (size_t)(write_pair(text, identity) - text)};
}

static const struct identity *first_of(const struct identities *identities, bool account)
{
    for (size_t i = 0; i < identities->count; i++)
        if (identities->items[i].kind->account == account)
            return &identities->items[i];
    return NULL;
}

const struct identity *identities_person(const struct identities *identities)
{
    return first_of(identities, false);
}

const struct identity *identities_account(const struct identities *identities)
{
    return first_of(identities, true);
}
