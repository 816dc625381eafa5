#include "services/department/mapping_value.h"

#include <ctype.h>
#include <stdlib.h>

#include "common/event/event_time.h"
#include "common/event/template.h"
#include "common/json/decimal.h"
#include "common/json/json_scan.h"
#include "services/department/currency.h"

/* 9999-12-31T23:59:59.999999Z, the last moment that RFC 3339 can write. */
#define TIME_LATEST_US INT64_C(253402300799999999)

/* What a value is got from, the same for all values within it. */
struct getting {
    const struct mapping_input *input;
    const struct minor_units *minor_units;
    struct arena *arena;
    struct fault *fault;
};

static int get(const struct getting *getting, const struct value *value,
               struct value_result *result);

/* A string from the tree, everything else as the bytes that came: a number must
 * not pass through a double. */
static int get_member(const struct getting *getting, const char *pointer,
                      struct value_result *result)
{
    json_t *member = input_member(getting->input, pointer);
    if (!input_has_value(member))
        return 0;
    if (json_is_string(member)) {
        result->form = VALUE_TEXT;
        result->span = (struct span){json_string_value(member), json_string_length(member)};
        return 0;
    }
    result->form = VALUE_JSON;
    return json_scan_pointer(getting->input->text, pointer, &result->span);
}

static int get_template(const struct getting *getting, const char *text,
                        struct value_result *result)
{
    bool missing = false;
    struct span span = template_expand(text, getting->input->text, getting->arena, &missing);
    if (!span.ptr)
        return ERR_MEMORY;
    if (!missing && span.len > 0)
        *result = (struct value_result){VALUE_TEXT, span};
    return 0;
}

static int get_first(const struct getting *getting, const struct value *value,
                     struct value_result *result)
{
    int rc = 0;
    for (size_t i = 0; i < value->count && !rc && result->form == VALUE_ABSENT; i++)
        rc = get(getting, value->members[i].value, result);
    return rc;
}

int value_append(const struct value_result *result, struct buffer *out, struct fault *fault)
{
    /* Escaped, a byte may become six: \u0001. */
    size_t most = result->form == VALUE_TEXT ? result->span.len * 6 + 2 : result->span.len;
    if (out->len + most > MAPPED_DATA_LIMIT)
        return fault_set(fault, "", "what is mapped comes to more than %zu KiB",
                         MAPPED_DATA_LIMIT / 1024);
    if (result->form == VALUE_TEXT)
        buffer_append_json_string(out, result->span);
    else
        buffer_append_span(out, result->span);
    return 0;
}

/* An object or a list of the members that are there; absent when none is. */
static int get_members(const struct getting *getting, const struct value *value,
                       struct value_result *result)
{
    bool named = value->kind == VALUE_OBJECT;
    struct buffer out;
    size_t there = 0;
    int rc = 0;
    buffer_init(&out, MAPPED_DATA_LIMIT * 2);
    buffer_append_char(&out, named ? '{' : '[');
    for (size_t i = 0; i < value->count && !rc; i++) {
        struct value_result one = {0};
        rc = get(getting, value->members[i].value, &one);
        if (rc || one.form == VALUE_ABSENT)
            continue;
        if (there++)
            buffer_append_char(&out, ',');
        if (named) {
            buffer_append_json_string(&out, span_of(value->members[i].name));
            buffer_append_char(&out, ':');
        }
        rc = value_append(&one, &out, getting->fault);
    }
    buffer_append_char(&out, named ? '}' : ']');
    if (!rc && there) {
        struct span copy = arena_copy(getting->arena, buffer_span(&out));
        *result = (struct value_result){VALUE_JSON, copy};
        rc = out.failed || !copy.ptr ? ERR_MEMORY : 0;
    }
    buffer_free(&out);
    return rc;
}

static int get_plain(const struct getting *getting, const struct value *value,
                     struct value_result *result)
{
    switch (value->kind) {
    case VALUE_POINTER:
        return get_member(getting, value->text, result);
    case VALUE_HEADER:
        result->span = input_header(getting->input, value->text);
        result->form = result->span.ptr ? VALUE_TEXT : VALUE_ABSENT;
        return 0;
    case VALUE_CONSTANT:
        *result = (struct value_result){VALUE_JSON, value->json};
        if (json_is_string(value->constant))
            *result = (struct value_result){
                VALUE_TEXT,
                {json_string_value(value->constant), json_string_length(value->constant)}};
        return 0;
    case VALUE_TEMPLATE:
        return get_template(getting, value->text, result);
    case VALUE_FIRST:
        return get_first(getting, value, result);
    case VALUE_OBJECT:
    case VALUE_LIST:
        return get_members(getting, value, result);
    }
    return 0;
}

/* Where the value came from, for a fault: its pointer, or "" */
static const char *place(const struct value *value)
{
    return value->kind == VALUE_POINTER ? value->text : "";
}

static void change_by_map(const struct value *value, struct value_result *result)
{
    struct span text = value_text(result);
    json_t *to = text.ptr ? json_object_getn(value->map, text.ptr, text.len) : NULL;
    *result = (struct value_result){0};
    if (to)
        *result =
            (struct value_result){VALUE_TEXT, {json_string_value(to), json_string_length(to)}};
}

static int change_to_upper(const struct getting *getting, struct value_result *result)
{
    if (result->form != VALUE_TEXT)
        return 0;
    char *copy = arena_strdup(getting->arena, result->span);
    if (!copy)
        return ERR_MEMORY;
    for (size_t i = 0; i < result->span.len; i++)
        copy[i] = (char)toupper((unsigned char)copy[i]);
    result->span.ptr = copy;
    return 0;
}

/* How far the point moves: by the source's own exceptions, else by ISO 4217. */
static int shift_of_minor_units(const struct getting *getting, const struct value *value,
                                int *shift)
{
    const struct minor_units *units = getting->minor_units;
    struct value_result code = {0};
    int rc = units->currency ? get(getting, units->currency, &code) : 0;
    if (rc)
        return rc;
    struct span text = value_text(&code);
    if (!text.ptr)
        return fault_set(getting->fault, place(value),
                         "is in minor units, and there is no currency to tell how small they are");
    json_t *exception =
        units->exceptions ? json_object_getn(units->exceptions, text.ptr, text.len) : NULL;
    int exponent = exception ? (int)json_integer_value(exception) : currency_exponent(text);
    if (exponent < 0)
        return fault_set(getting->fault, place(value),
                         "is in minor units of a currency that ISO 4217 does not know");
    *shift = -exponent;
    return 0;
}

static int change_scale(const struct getting *getting, const struct value *value,
                        struct value_result *result)
{
    int shift = value->shift;
    int rc = value->scale == SCALE_MINOR_UNITS ? shift_of_minor_units(getting, value, &shift) : 0;
    if (rc)
        return rc;
    struct span text = value_text(result);
    result->form = VALUE_JSON;
    rc = decimal_normalise(getting->arena, text, shift, &result->span, getting->fault);
    if (rc == ERR_INVALID)
        return fault_set(getting->fault, place(value), "is no decimal number that can be scaled");
    return rc;
}

/* A Unix time, whole or with a fraction, cut to microseconds. */
static int unix_time(const struct getting *getting, struct span text, int digits, int64_t *moment)
{
    struct span plain;
    char whole[22];
    int rc = decimal_normalise(getting->arena, text, digits, &plain, NULL);
    if (rc)
        return rc;
    const char *point = memchr(plain.ptr, '.', plain.len);
    size_t len = point ? (size_t)(point - plain.ptr) : plain.len;
    if (len >= sizeof whole - 4) /* no int64 overflows by it */
        return ERR_INVALID;
    memcpy(whole, plain.ptr, len);
    whole[len] = '\0';
    *moment = strtoll(whole, NULL, 10);
    return *moment >= 0 && *moment <= TIME_LATEST_US ? 0 : ERR_INVALID;
}

static int change_time(const struct getting *getting, const struct value *value,
                       struct value_result *result)
{
    static const char *const names[] = {"", "Unix time in seconds", "Unix time in milliseconds",
                                        "RFC 3339 time"};
    struct span text = value_text(result);
    int64_t moment = 0;
    int rc;
    if (value->time == TIME_RFC3339)
        rc = event_time_parse(text, &moment);
    else
        rc = unix_time(getting, text, value->time == TIME_UNIX_S ? 6 : 3, &moment);
    if (rc == ERR_MEMORY)
        return rc;
    if (rc)
        return fault_set(getting->fault, place(value), "is no %s", names[value->time]);
    if (value->time == TIME_RFC3339) {
        *result = (struct value_result){VALUE_TEXT, text};
        return 0;
    }
    char formatted[EVENT_TIME_TEXT];
    event_time_format(moment, formatted);
    *result = (struct value_result){VALUE_TEXT, arena_copy(getting->arena, span_of(formatted))};
    return result->span.ptr ? 0 : ERR_MEMORY;
}

static int get(const struct getting *getting, const struct value *value,
               struct value_result *result)
{
    *result = (struct value_result){0};
    if ((value->when && !condition_holds(value->when, getting->input)) ||
        (value->unless && condition_holds(value->unless, getting->input)))
        return 0;
    int rc = get_plain(getting, value, result);
    if (!rc && value->map && result->form != VALUE_ABSENT)
        change_by_map(value, result);
    if (!rc && value->upper)
        rc = change_to_upper(getting, result);
    if (!rc && value->scale && result->form != VALUE_ABSENT)
        rc = change_scale(getting, value, result);
    if (!rc && value->time && result->form != VALUE_ABSENT)
        rc = change_time(getting, value, result);
    return rc;
}

int value_get(const struct value *value, const struct mapping_input *input,
              const struct minor_units *minor_units, struct arena *arena,
              struct value_result *result, struct fault *fault)
{
    return get(&(struct getting){input, minor_units, arena, fault}, value, result);
}

struct span value_text(const struct value_result *result)
{
    bool nested = result->form == VALUE_JSON && result->span.len > 0 &&
                  (result->span.ptr[0] == '{' || result->span.ptr[0] == '[');
    return result->form == VALUE_ABSENT || nested ? (struct span){0} : result->span;
}

void value_places(const struct value *value, struct buffer *out)
{
    if (value->kind == VALUE_CONSTANT)
        return;
    if (value->count == 0) {
        buffer_append_text(out, out->len ? ", " : "");
        buffer_append_text(out, value->kind == VALUE_HEADER ? "header " : "");
        buffer_append_text(out, value->text);
        return;
    }
    for (size_t i = 0; i < value->count; i++)
        value_places(value->members[i].value, out);
}

bool value_any(const struct value *value, bool (*visit)(const struct value *value, void *context),
               void *context)
{
    if (visit(value, context))
        return true;
    for (size_t i = 0; i < value->count; i++)
        if (value_any(value->members[i].value, visit, context))
            return true;
    return false;
}
