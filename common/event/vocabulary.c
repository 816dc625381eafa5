#include "common/event/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/config.h"
#include "common/base/duration.h"
#include "common/base/log.h"
#include "common/event/event.h"
#include "common/event/event_text.h"
#include "common/event/template.h"
#include "common/json/json_pointer.h"
#include "common/json/predicate.h"

#define DEPARTMENTS_LIMIT 64
#define NAME_LIMIT        32 /* bytes of a department's name */
#define MEMORY_LIMIT      (16 * 1024 * 1024)

/* What vocabulary_load hands out, with the memory behind it. */
struct loaded {
    struct vocabulary vocabulary; /* first, so that it leads back here */
    struct arena arena;
};

static const char *const money_names[] = {
    [MONEY_NONE] = "none",         [MONEY_PROMISED] = "promised", [MONEY_BILLED] = "billed",
    [MONEY_RECEIVED] = "received", [MONEY_REFUNDED] = "refunded",
};

const char *money_name(enum money money)
{
    return money_names[money];
}

/* One file being read. `at` is the pointer of the event type being read. */
struct reading {
    struct arena *arena;
    struct department *department;
    struct fault *fault;
    char at[256];
};

static int at_fault(const struct reading *r, const char *member, const char *detail)
{
    char pointer[sizeof r->at];
    snprintf(pointer, sizeof pointer, "%s", r->at);
    if (member)
        json_pointer_append(pointer, sizeof pointer, member);
    return fault_set(r->fault, pointer, "%s", detail);
}

static int copy_text(struct arena *arena, json_t *string, const char **out)
{
    *out =
        arena_strdup(arena, (struct span){json_string_value(string), json_string_length(string)});
    return *out ? 0 : ERR_MEMORY;
}

static bool department_name_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > NAME_LIMIT || name[0] < 'a' || name[0] > 'z')
        return false;
    for (size_t i = 1; i < len; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
              name[i] == '-'))
            return false;
    return strcmp(name, "throughline") != 0;
}

/* Does a type's name begin with "<department>."? */
static bool of_department(const struct department *department, struct span type)
{
    size_t len = strlen(department->name);
    return span_starts_with(type, department->name) && type.len > len && type.ptr[len] == '.';
}

/* <department>.<noun>.<verb>: words of a-z, 0-9, '_' and '-' with dots between. */
static bool type_name_valid(const struct department *department, const char *name)
{
    size_t len = strlen(name), dots = 0;
    if (len > EVENT_TYPE_LIMIT || !of_department(department, span_of(name)) || name[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!word && (c != '.' || name[i - 1] == '.'))
            return false;
        dots += c == '.';
    }
    return dots >= 2;
}

static int read_required(const struct reading *r, json_t *required, struct event_type *type)
{
    if (!required)
        return 0;
    if (!json_is_object(required))
        return at_fault(r, "required", "must be an object: member of data → its JSON type");
    type->required =
        arena_alloc(r->arena, (json_object_size(required) + 1) * sizeof *type->required);
    if (!type->required)
        return ERR_MEMORY;
    const char *name;
    json_t *value;
    json_object_foreach(required, name, value)
    {
        struct required_member *member = &type->required[type->required_count++];
        *member = (struct required_member){.name = NULL};
        if (!json_is_string(value) ||
            !json_type_named(json_string_value(value), &member->test.type))
            return at_fault(r, "required",
                            "types are \"string\", \"number\", \"boolean\", \"object\", \"array\"");
        member->test.kind = TEST_TYPE;
        member->name = arena_strdup(r->arena, span_of(name));
        if (!member->name)
            return ERR_MEMORY;
    }
    return 0;
}

static int read_money(const struct reading *r, json_t *money, struct event_type *type)
{
    type->money = MONEY_NONE;
    if (!money)
        return 0;
    const char *name = json_string_value(money);
    for (size_t i = 0; name && i < sizeof money_names / sizeof *money_names; i++) {
        if (strcmp(money_names[i], name) == 0) {
            type->money = (enum money)i;
            return 0;
        }
    }
    return at_fault(r, "money",
                    "must be \"none\", \"promised\", \"billed\", \"received\" or \"refunded\"");
}

static int read_summary(const struct reading *r, json_t *summary, struct event_type *type)
{
    if (!summary)
        return 0;
    if (!json_is_string(summary))
        return at_fault(r, "summary", "must be a text, as \"Deal won: {/amount} {/currency}\"");
    if (template_check(json_string_value(summary), r->fault) != 0) {
        char detail[sizeof r->fault->detail];
        snprintf(detail, sizeof detail, "%s", r->fault ? r->fault->detail : "");
        return at_fault(r, "summary", detail);
    }
    return copy_text(r->arena, summary, &type->summary);
}

static int read_type(const struct reading *r, const char *name, json_t *config,
                     struct event_type *type)
{
    static const char *const keys[] = {"required", "summary", "money", "touch", NULL};
    *type = (struct event_type){.name = arena_strdup(r->arena, span_of(name))};
    if (!type->name)
        return ERR_MEMORY;
    if (!type_name_valid(r->department, name))
        return at_fault(r, NULL,
                        "types are <department>.<noun>.<verb>: this department's name, then words "
                        "of a-z, 0-9, '_' and '-'");
    if (!json_is_object(config))
        return at_fault(r, NULL, "must be an object");
    if (config_only_keys(config, r->at, keys, r->fault) != 0)
        return ERR_INVALID;
    json_t *touch = json_object_get(config, "touch");
    if (touch && !json_is_boolean(touch))
        return at_fault(r, "touch", "must be true or false");
    type->touch = json_is_true(touch);
    int result = read_required(r, json_object_get(config, "required"), type);
    if (result == 0)
        result = read_money(r, json_object_get(config, "money"), type);
    return result == 0 ? read_summary(r, json_object_get(config, "summary"), type) : result;
}

static int by_type_name(const void *a, const void *b)
{
    const struct event_type *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int read_events(struct reading *r, json_t *events)
{
    struct department *department = r->department;
    if (!json_is_object(events) || json_object_size(events) == 0)
        return fault_set(r->fault, "/events", "must be an object with at least one event type");
    department->types = arena_alloc(r->arena, json_object_size(events) * sizeof *department->types);
    if (!department->types)
        return ERR_MEMORY;
    const char *name;
    json_t *config;
    json_object_foreach(events, name, config)
    {
        snprintf(r->at, sizeof r->at, "/events");
        json_pointer_append(r->at, sizeof r->at, name);
        int result = read_type(r, name, config, &department->types[department->type_count++]);
        if (result != 0)
            return result;
    }
    qsort(department->types, department->type_count, sizeof *department->types, by_type_name);
    return 0;
}

static int read_unknown_events(struct reading *r, json_t *value)
{
    const char *text = json_string_value(value);
    if (value && (!text || (strcmp(text, "accept") != 0 && strcmp(text, "refuse") != 0)))
        return fault_set(r->fault, "/unknown_events", "must be \"refuse\" or \"accept\"");
    r->department->accept_unknown = value && strcmp(text, "accept") == 0;
    return 0;
}

static int read_stale_after(struct reading *r, json_t *value)
{
    const char *text = json_string_value(value);
    int64_t *ms = &r->department->stale_after_ms;
    if (value && (!text || duration_parse(text, ms) != 0 || *ms == 0))
        return fault_set(r->fault, "/stale_after", "must be a duration, as \"30d\"");
    return 0;
}

static int read_department(struct reading *r, const char *name, json_t *root)
{
    static const char *const keys[] = {"listen",      "unknown_events", "identity_kinds",
                                       "stale_after", "events",         NULL};
    if (!department_name_valid(name))
        return fault_set(r->fault, "",
                         "a department's name, and so its file's, is a letter and then up to 31 of "
                         "a-z, 0-9 and '-', and not \"throughline\"");
    r->department->name = arena_strdup(r->arena, span_of(name));
    if (!r->department->name)
        return ERR_MEMORY;
    if (!json_is_object(root))
        return fault_set(r->fault, "", "must be an object");
    if (config_only_keys(root, "", keys, r->fault) != 0)
        return ERR_INVALID;
    json_t *listen = json_object_get(root, "listen");
    if (listen && !json_is_string(listen))
        return fault_set(r->fault, "/listen", "must be a text, as \"127.0.0.1:8101\"");
    if (listen && copy_text(r->arena, listen, &r->department->listen) != 0)
        return ERR_MEMORY;
    int result = read_unknown_events(r, json_object_get(root, "unknown_events"));
    if (result == 0)
        result = read_stale_after(r, json_object_get(root, "stale_after"));
    return result == 0 ? read_events(r, json_object_get(root, "events")) : result;
}

static int visit_file(const char *name, json_t *root, void *context, struct fault *fault)
{
    struct loaded *loaded = context;
    struct vocabulary *vocabulary = &loaded->vocabulary;
    if (vocabulary->count == DEPARTMENTS_LIMIT)
        return fault_set(fault, "", "is one department too many: at most %d", DEPARTMENTS_LIMIT);
    struct department *department = &vocabulary->departments[vocabulary->count++];
    *department = (struct department){.name = NULL};
    struct reading reading = {.arena = &loaded->arena, .department = department, .fault = fault};
    return read_department(&reading, name, root);
}

static int by_department_name(const void *a, const void *b)
{
    const struct department *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int load(const char *config_dir, struct loaded *loaded, struct fault *fault)
{
    struct vocabulary *vocabulary = &loaded->vocabulary;
    arena_init(&loaded->arena, MEMORY_LIMIT);
    vocabulary->departments =
        arena_alloc(&loaded->arena, DEPARTMENTS_LIMIT * sizeof *vocabulary->departments);
    if (!vocabulary->departments)
        return ERR_MEMORY;
    int result = config_each(config_dir, "departments", visit_file, loaded, fault);
    if (result == 0)
        qsort(vocabulary->departments, vocabulary->count, sizeof *vocabulary->departments,
              by_department_name);
    return result;
}

int vocabulary_load(const char *config_dir, struct vocabulary **out, struct fault *fault)
{
    struct loaded *loaded = calloc(1, sizeof *loaded);
    if (!loaded) {
        log_error("The departments' vocabularies cannot be loaded: no memory");
        return ERR_MEMORY;
    }
    int result = load(config_dir, loaded, fault);
    if (result != 0) {
        vocabulary_free(&loaded->vocabulary);
        return result;
    }
    *out = &loaded->vocabulary;
    return 0;
}

void vocabulary_free(struct vocabulary *vocabulary)
{
    if (!vocabulary)
        return;
    struct loaded *loaded = (struct loaded *)(void *)vocabulary;
    arena_free(&loaded->arena);
    free(loaded);
}

const struct department *vocabulary_department(const struct vocabulary *vocabulary,
                                               struct span name)
{
    for (size_t i = 0; i < vocabulary->count; i++)
        if (span_is(name, vocabulary->departments[i].name))
            return &vocabulary->departments[i];
    return NULL;
}

static const struct event_type *find_type(const struct department *department, struct span name)
{
    size_t low = 0, high = department->type_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_compare(name, span_of(department->types[middle].name));
        if (order == 0)
            return &department->types[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

int department_type(const struct department *department, struct span name,
                    const struct event_type **type, struct fault *fault)
{
    char quoted[EVENT_TEXT_QUOTE];
    *type = find_type(department, name);
    if (*type)
        return 0;
    if (span_starts_with(name, "throughline."))
        return fault_set(fault, "/type", "types throughline.… are the system's own");
    if (!of_department(department, name))
        return fault_set(fault, "/type",
                         "\"%s\" is not a type of the department %s: its types "
                         "begin with \"%s.\"",
                         event_text_quote(name, quoted), department->name, department->name);
    if (department->accept_unknown)
        return 0;
    return fault_set(fault, "/type",
                     "\"%s\" is not in the vocabulary of %s (departments/%s.json, \"events\")",
                     event_text_quote(name, quoted), department->name, department->name);
}
