#include <stdio.h>
#include <stdlib.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/event/identity_rule.h"
#include "common/json/json_pointer.h"

#define KINDS_LIMIT  256
#define NAME_LIMIT   63 /* bytes */
#define MEMORY_LIMIT (8 * 1024 * 1024)
#define RANK_MOST    1000
#define RANK_DEFAULT 100

/* Where in which file a kind is being read. */
struct place {
    struct identity_kinds *kinds;
    const char *file;
    char pointer[256];
};

static int place_fault(const struct place *place, const char *member, struct fault *fault,
                       const char *detail)
{
    char pointer[sizeof place->pointer];
    snprintf(pointer, sizeof pointer, "%s", place->pointer);
    if (member)
        json_pointer_append(pointer, sizeof pointer, member);
    return fault_set(fault, pointer, "%s", detail);
}

/* [a-z][a-z0-9_-]*(\.[a-z0-9_-]+)* */
static bool name_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > NAME_LIMIT || name[0] < 'a' || name[0] > 'z' || name[len - 1] == '.')
        return false;
    for (size_t i = 1; i < len; i++) {
        char c = name[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!word && (c != '.' || name[i - 1] == '.'))
            return false;
    }
    return strcmp(name, "account") != 0; /* the member of data.customer that holds an account's */
}

static bool pattern_valid(struct span pattern)
{
    size_t stars = 0, inner = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        stars += pattern.ptr[i] == '*';
        inner += pattern.ptr[i] == '*' && i > 0 && i + 1 < pattern.len;
    }
    return pattern.len > stars && inner == 0 && pattern.len <= IDENTITY_VALUE_LIMIT;
}

static int read_deny(struct place *place, json_t *deny, struct identity_rule *rule,
                     struct fault *fault)
{
    if (!deny)
        return 0;
    if (!json_is_array(deny))
        return place_fault(place, "deny", fault, "must be a list of patterns");
    struct arena *arena = &place->kinds->arena;
    rule->deny = arena_alloc(arena, json_array_size(deny) * sizeof *rule->deny);
    if (!rule->deny)
        return ERR_MEMORY;
    size_t i;
    json_t *item;
    json_array_foreach(deny, i, item)
    {
        struct span pattern = {json_string_value(item), json_string_length(item)};
        if (!pattern.ptr || !pattern_valid(pattern))
            return place_fault(place, "deny", fault,
                               "patterns must be texts with '*' at the start or the end only, as "
                               "\"info@*\"");
        rule->deny[i] = arena_copy(arena, pattern);
        if (!rule->deny[i].ptr)
            return ERR_MEMORY;
    }
    rule->deny_count = i;
    return 0;
}

static int read_rank(struct place *place, json_t *rank, struct identity_rule *rule,
                     struct fault *fault)
{
    rule->kind.rank = RANK_DEFAULT;
    if (!rank)
        return 0;
    json_int_t value = json_integer_value(rank);
    if (!json_is_integer(rank) || value < 0 || value > RANK_MOST)
        return place_fault(place, "rank", fault, "must be a whole number from 0 to 1000");
    rule->kind.rank = (int)value;
    return 0;
}

static int read_rule(struct place *place, const char *name, json_t *config,
                     struct identity_rule *rule, struct fault *fault)
{
    static const char *const keys[] = {"strong", "rank", "normalise", "deny", NULL};
    if (!name_valid(name))
        return place_fault(place, NULL, fault,
                           "a kind's name is lower-case words of a-z, 0-9, '_' and '-' with dots "
                           "between, at most 63 bytes, and not \"account\"");
    if (!json_is_object(config))
        return place_fault(place, NULL, fault, "must be an object with \"strong\"");
    if (config_only_keys(config, place->pointer, keys, fault) != 0)
        return ERR_INVALID;
    json_t *strong = json_object_get(config, "strong"),
           *form = json_object_get(config, "normalise");
    if (!json_is_boolean(strong))
        return place_fault(place, "strong", fault, "must be true or false");
    if (form &&
        (!json_is_string(form) || !identity_form_named(json_string_value(form), &rule->form)))
        return place_fault(place, "normalise", fault,
                           "must be \"text\", \"email\", \"phone\", \"domain\" or \"code\"");
    struct arena *arena = &place->kinds->arena;
    rule->kind.name = arena_strdup(arena, span_of(name));
    rule->file = arena_strdup(arena, span_of(place->file));
    if (!rule->kind.name || !rule->file)
        return ERR_MEMORY;
    rule->kind.account = strncmp(name, "account.", 8) == 0;
    rule->kind.strong = json_is_true(strong);
    int result = read_rank(place, json_object_get(config, "rank"), rule, fault);
    return result != 0 ? result : read_deny(place, json_object_get(config, "deny"), rule, fault);
}

static bool told_alike(const struct identity_rule *a, const struct identity_rule *b)
{
    if (a->kind.strong != b->kind.strong || a->kind.rank != b->kind.rank || a->form != b->form ||
        a->deny_count != b->deny_count)
        return false;
    for (size_t i = 0; i < a->deny_count; i++)
        if (!span_equal(a->deny[i], b->deny[i]))
            return false;
    return true;
}

static int add_rule(struct place *place, const struct identity_rule *rule, struct fault *fault)
{
    struct identity_kinds *kinds = place->kinds;
    for (size_t i = 0; i < kinds->count; i++) {
        const struct identity_rule *known = &kinds->rules[i];
        if (strcmp(known->kind.name, rule->kind.name) != 0)
            continue;
        if (told_alike(known, rule))
            return 0;
        return fault_set(fault, place->pointer,
                         "is told otherwise in %s: the same kind must be told alike in both files",
                         known->file);
    }
    if (kinds->count == KINDS_LIMIT)
        return fault_set(fault, place->pointer, "is one kind too many: at most %d", KINDS_LIMIT);
    kinds->rules[kinds->count++] = *rule;
    return 0;
}

/* The kinds of one object: "kinds" of identities.json, "identity_kinds" elsewhere. */
static int read_kinds(struct identity_kinds *kinds, const char *file, const char *member,
                      json_t *object, struct fault *fault)
{
    struct place place = {.kinds = kinds, .file = file};
    snprintf(place.pointer, sizeof place.pointer, "/%s", member);
    if (!json_is_object(object))
        return place_fault(&place, NULL, fault, "must be an object: kind → {\"strong\": …}");
    const char *name;
    json_t *config;
    json_object_foreach(object, name, config)
    {
        struct identity_rule rule = {.form = IDENTITY_TEXT};
        snprintf(place.pointer, sizeof place.pointer, "/%s", member);
        json_pointer_append(place.pointer, sizeof place.pointer, name);
        int result = read_rule(&place, name, config, &rule, fault);
        if (result == 0)
            result = add_rule(&place, &rule, fault);
        if (result != 0)
            return result;
    }
    return 0;
}

struct visit {
    struct identity_kinds *kinds;
    const char *subfolder;
};

static int visit_file(const char *name, json_t *root, void *context, struct fault *fault)
{
    const struct visit *visit = context;
    json_t *object = json_object_get(root, "identity_kinds");
    char file[256];
    snprintf(file, sizeof file, "%s/%s.json", visit->subfolder, name);
    return object ? read_kinds(visit->kinds, file, "identity_kinds", object, fault) : 0;
}

static int load_general(const char *config_dir, struct identity_kinds *kinds, struct fault *fault)
{
    static const char *const keys[] = {"kinds", NULL};
    json_t *root;
    int result = config_read_json(config_dir, "identities.json", &root, fault);
    if (result == ERR_NOT_FOUND) /* nothing can be admitted without it; the fault says so */
        result = ERR_INVALID;
    if (result != 0)
        return result;
    result = config_only_keys(root, "", keys, fault);
    if (result == 0)
        result =
            read_kinds(kinds, "identities.json", "kinds", json_object_get(root, "kinds"), fault);
    json_decref(root);
    return result;
}

static int by_name(const void *a, const void *b)
{
    const struct identity_rule *x = a, *y = b;
    return strcmp(x->kind.name, y->kind.name);
}

static int by_rank(const void *a, const void *b)
{
    const struct identity_kind *x = *(const struct identity_kind *const *)a;
    const struct identity_kind *y = *(const struct identity_kind *const *)b;
    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
                              : strcmp(x->name, y->name);
}

static int load(const char *config_dir, struct identity_kinds *kinds, struct fault *fault)
{
    kinds->rules = arena_alloc(&kinds->arena, KINDS_LIMIT * sizeof *kinds->rules);
    kinds->by_rank = arena_alloc(&kinds->arena, KINDS_LIMIT * sizeof(struct identity_kind *));
    if (!kinds->rules || !kinds->by_rank)
        return ERR_MEMORY;
    int result = load_general(config_dir, kinds, fault);
    static const char *const subfolders[] = {"departments", "sources"};
    for (size_t i = 0; result == 0 && i < 2; i++) {
        struct visit visit = {kinds, subfolders[i]};
        result = config_each(config_dir, subfolders[i], visit_file, &visit, fault);
    }
    if (result != 0)
        return result;
    qsort(kinds->rules, kinds->count, sizeof *kinds->rules, by_name);
    for (size_t i = 0; i < kinds->count; i++)
        kinds->by_rank[i] = &kinds->rules[i].kind;
    qsort(kinds->by_rank, kinds->count, sizeof *kinds->by_rank, by_rank);
    return 0;
}

int identity_kinds_load(const char *config_dir, struct identity_kinds **out, struct fault *fault)
{
    struct identity_kinds *kinds = calloc(1, sizeof *kinds);
    if (!kinds) {
        log_error("Identity kinds cannot be loaded: no memory");
        return ERR_MEMORY;
    }
    arena_init(&kinds->arena, MEMORY_LIMIT);
    int result = load(config_dir, kinds, fault);
    if (result != 0) {
        identity_kinds_free(kinds);
        return result;
    }
    *out = kinds;
    return 0;
}

void identity_kinds_free(struct identity_kinds *kinds)
{
    if (!kinds)
        return;
    arena_free(&kinds->arena);
    free(kinds);
}

const struct identity_kind *identity_kind_find(const struct identity_kinds *kinds, struct span name)
{
    size_t low = 0, high = kinds->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_compare(name, span_of(kinds->rules[middle].kind.name));
        if (order == 0)
            return &kinds->rules[middle].kind;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

size_t identity_kinds_all(const struct identity_kinds *kinds,
                          const struct identity_kind *const **all)
{
    *all = kinds->by_rank;
    return kinds->count;
}
