#include <stdio.h>

#include "common/base/config.h"
#include "common/event/template.h"
#include "common/json/json_pointer.h"
#include "services/department/mapping_value.h"

static int parse(struct arena *arena, json_t *json, const char *at, enum value_use use, int depth,
                 struct value **out, struct fault *fault);

static const struct {
    const char *key;
    enum value_kind kind;
} kinds[] = {
    {"pointer", VALUE_POINTER},   {"header", VALUE_HEADER}, {"constant", VALUE_CONSTANT},
    {"template", VALUE_TEMPLATE}, {"first", VALUE_FIRST},   {"object", VALUE_OBJECT},
    {"list", VALUE_LIST},
};

static void step(char here[256], const char *at, const char *name)
{
    snprintf(here, 256, "%s", at);
    json_pointer_append(here, 256, name);
}

static int parse_pointer(struct value *value, const char *text, const char *at, struct fault *fault)
{
    if (text[0] != '/' || !json_pointer_valid(text))
        return fault_set(fault, at,
                         "must be a JSON Pointer, which begins with \"/\" and has ~0 or "
                         "~1 after a \"~\"; a fixed text is {\"constant\": …}");
    value->kind = VALUE_POINTER;
    value->text = text;
    return 0;
}

static int parse_members(struct arena *arena, struct value *value, json_t *json, const char *at,
                         enum value_use use, int depth, struct fault *fault)
{
    bool named = value->kind == VALUE_OBJECT;
    size_t most = named ? json_object_size(json) : json_array_size(json), i;
    if ((named ? !json_is_object(json) : !json_is_array(json)) || most == 0)
        return fault_set(fault, at,
                         named ? "must be an object of values, with one at least"
                               : "must be a list of values, with one at least");
    if (!(value->members = arena_alloc(arena, most * sizeof *value->members)))
        return ERR_MEMORY;
    const char *name;
    json_t *one;
    char here[256], index[24];
    int rc = 0;
    if (named) {
        json_object_foreach(json, name, one)
        {
            step(here, at, name);
            value->members[value->count].name = name;
            rc = parse(arena, one, here, use, depth, &value->members[value->count++].value, fault);
            if (rc)
                return rc;
        }
        return 0;
    }
    json_array_foreach(json, i, one)
    {
        snprintf(index, sizeof index, "%zu", i);
        step(here, at, index);
        value->members[value->count].name = NULL;
        rc = parse(arena, one, here, use, depth, &value->members[value->count++].value, fault);
        if (rc)
            return rc;
    }
    return 0;
}

static int parse_constant(struct arena *arena, struct value *value, json_t *json, const char *at,
                          enum value_use use, struct fault *fault)
{
    if (json_is_null(json))
        return fault_set(fault, at, "null is nothing to map: leave the member out");
    if (use != VALUE_AS_DATA && !json_is_string(json))
        return fault_set(fault, at, "must be a string here");
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text)
        return ERR_MEMORY;
    value->constant = json;
    value->json = arena_copy(arena, span_of(text));
    free(text);
    return value->json.ptr ? 0 : ERR_MEMORY;
}

/* The one member that says where the value comes from. */
static int parse_kind(struct arena *arena, struct value *value, json_t *json, const char *at,
                      enum value_use use, int depth, struct fault *fault)
{
    json_t *from = NULL;
    const char *key = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        json_t *one = json_object_get(json, kinds[i].key);
        if (one && from)
            return fault_set(fault, at, "has both \"%s\" and \"%s\": a value comes from one place",
                             key, kinds[i].key);
        if (one) {
            from = one;
            key = kinds[i].key;
            value->kind = kinds[i].kind;
        }
    }
    if (!from)
        return fault_set(fault, at,
                         "must have one of pointer, header, constant, template, first, "
                         "object, list");
    char here[256];
    step(here, at, key);
    if (value->kind == VALUE_CONSTANT)
        return parse_constant(arena, value, from, here, use, fault);
    if (value->kind == VALUE_FIRST)
        return parse_members(arena, value, from, here, use, depth + 1, fault);
    if (value->kind == VALUE_OBJECT || value->kind == VALUE_LIST) {
        if (use != VALUE_AS_DATA)
            return fault_set(fault, here, "must be one text here, no object or list");
        return parse_members(arena, value, from, here, use, depth + 1, fault);
    }
    if (!json_is_string(from) || json_string_length(from) == 0)
        return fault_set(fault, here, "must be a string that is not empty");
    value->text = json_string_value(from);
    if (value->kind == VALUE_POINTER)
        return parse_pointer(value, value->text, here, fault);
    if (value->kind == VALUE_TEMPLATE) {
        struct fault wrong = {.pointer = ""};
        int rc = template_check(value->text, &wrong);
        return rc == ERR_INVALID ? fault_set(fault, here, "%s", wrong.detail) : rc;
    }
    return 0;
}

static int parse_map(struct value *value, json_t *map, const char *at, struct fault *fault)
{
    const char *from;
    json_t *to;
    if (!json_is_object(map) || json_object_size(map) == 0)
        return fault_set(fault, at, "must be an object: text from the payload to text");
    json_object_foreach(map, from, to)
    {
        char here[256];
        step(here, at, from);
        if (!json_is_string(to) || json_string_length(to) == 0)
            return fault_set(fault, here, "must be a string that is not empty");
    }
    value->map = map;
    return 0;
}

static int parse_scale(struct value *value, json_t *scale, const char *at, struct fault *fault)
{
    json_int_t shift = json_integer_value(scale);
    if (json_is_string(scale) && strcmp(json_string_value(scale), "minor_units") == 0) {
        value->scale = SCALE_MINOR_UNITS;
        return 0;
    }
    if (!json_is_integer(scale) || shift < -18 || shift > 18)
        return fault_set(fault, at,
                         "must be \"minor_units\" or a whole number from -18 to 18 (-2 "
                         "makes 2000 20.00)");
    value->scale = SCALE_FIXED;
    value->shift = (int)shift;
    return 0;
}

static int parse_format(struct value *value, json_t *format, const char *at, enum value_use use,
                        struct fault *fault)
{
    static const struct {
        const char *name;
        enum value_time time;
    } formats[] = {{"unix_s", TIME_UNIX_S}, {"unix_ms", TIME_UNIX_MS}, {"rfc3339", TIME_RFC3339}};
    if (use != VALUE_AS_TIME)
        return fault_set(fault, at, "belongs to \"time\" only");
    for (size_t i = 0; json_is_string(format) && i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(json_string_value(format), formats[i].name) == 0)
            value->time = formats[i].time;
    return value->time ? 0 : fault_set(fault, at, "must be unix_s, unix_ms or rfc3339");
}

static int parse_conditions(struct arena *arena, struct value *value, json_t *json, const char *at,
                            struct fault *fault)
{
    const struct {
        const char *key;
        const struct condition **to;
    } both[] = {{"if", &value->when}, {"unless", &value->unless}};
    for (size_t i = 0; i < 2; i++) {
        json_t *one = json_object_get(json, both[i].key);
        struct condition *condition;
        char here[256];
        step(here, at, both[i].key);
        if (!one)
            continue;
        int rc = condition_parse(arena, one, here, &condition, fault);
        if (rc)
            return rc;
        *both[i].to = condition;
    }
    return 0;
}

/* What is done to the value, and whether that goes together. */
static int parse_changes(struct value *value, json_t *json, const char *at, enum value_use use,
                         struct fault *fault)
{
    json_t *map = json_object_get(json, "map"), *upper = json_object_get(json, "upper");
    json_t *scale = json_object_get(json, "scale"), *format = json_object_get(json, "format");
    char here[256];
    int rc = 0;
    step(here, at, "map");
    if (map && (rc = parse_map(value, map, here, fault)))
        return rc;
    step(here, at, "upper");
    if (upper && !json_is_boolean(upper))
        return fault_set(fault, here, "must be true or false");
    value->upper = json_is_true(upper);
    step(here, at, "scale");
    if (scale && use != VALUE_AS_DATA)
        return fault_set(fault, here, "belongs to members of \"data\" only");
    if (scale && (rc = parse_scale(value, scale, here, fault)))
        return rc;
    step(here, at, "format");
    if (format && (rc = parse_format(value, format, here, use, fault)))
        return rc;
    bool whole = value->kind == VALUE_OBJECT || value->kind == VALUE_LIST;
    if ((whole || value->kind == VALUE_CONSTANT) && (map || upper || scale || format))
        return fault_set(fault, at,
                         "an object, a list and a constant stand as they are: no map, "
                         "upper, scale or format");
    return 0;
}

static int parse_object(struct arena *arena, struct value *value, json_t *json, const char *at,
                        enum value_use use, int depth, struct fault *fault)
{
    static const char *const keys[] = {"pointer", "header", "constant", "template", "first",
                                       "object",  "list",   "if",       "unless",   "map",
                                       "upper",   "scale",  "format",   NULL};
    int rc = config_only_keys(json, at, keys, fault);
    if (!rc)
        rc = parse_kind(arena, value, json, at, use, depth, fault);
    if (!rc)
        rc = parse_conditions(arena, value, json, at, fault);
    return rc ? rc : parse_changes(value, json, at, use, fault);
}

static int parse(struct arena *arena, json_t *json, const char *at, enum value_use use, int depth,
                 struct value **out, struct fault *fault)
{
    if (depth > VALUE_NESTING_LIMIT)
        return fault_set(fault, at, "is nested deeper than %d values", VALUE_NESTING_LIMIT);
    struct value *value = arena_alloc(arena, sizeof *value);
    if (!value)
        return ERR_MEMORY;
    *value = (struct value){0};
    *out = value;
    int rc;
    if (json_is_string(json))
        rc = parse_pointer(value, json_string_value(json), at, fault);
    else if (json_is_object(json))
        rc = parse_object(arena, value, json, at, use, depth, fault);
    else
        return fault_set(fault, at,
                         "must be a JSON Pointer or an object such as "
                         "{\"pointer\": …}, {\"constant\": …}");
    if (rc || use != VALUE_AS_TIME || value->kind == VALUE_FIRST)
        return rc;
    if (value->kind != VALUE_POINTER && value->kind != VALUE_HEADER)
        return fault_set(fault, at,
                         "a time comes from a pointer or a header, or is the first of "
                         "several");
    return value->time ? 0
                       : fault_set(fault, at,
                                   "must be {\"pointer\": …, \"format\": …} with the "
                                   "format unix_s, unix_ms or rfc3339");
}

int value_parse(struct arena *arena, json_t *json, const char *at, enum value_use use,
                struct value **out, struct fault *fault)
{
    return parse(arena, json, at, use, 0, out, fault);
}
