/*
 * One value of a mapping: where it comes from, and what is done to it.
 *
 *   "/data/object/id"                      short for {"pointer": …}
 *   {"pointer": "/a/b"}                    a member of the element
 *   {"header": "X-Event-Id"}               a request header
 *   {"constant": …}                        any JSON
 *   {"template": "{/portalId}:{/eventId}"} text; absent when a place has nothing
 *   {"first": [VALUE, …]}                  the first that is there
 *   {"object": {"id": VALUE, …}}, {"list": [VALUE, …]}   of those that are there
 *
 * with, in the order in which they act:
 *
 *   "if": CONDITION, "unless": CONDITION   else absent
 *   "map": {"from": "to", …}               text for text; absent where it is not named
 *   "upper": true                          ASCII letters
 *   "scale": -2 | "minor_units"            a number, its point moved: by so many places, or
 *                                          as the currency has decimals
 *   "format": "unix_s|unix_ms|rfc3339"     of "time" only, and there required
 *
 * What is missing, null or "" is absent, and absent is never replaced by a guess.
 */
#ifndef SERVICES_DEPARTMENT_MAPPING_VALUE_H
#define SERVICES_DEPARTMENT_MAPPING_VALUE_H

#include "common/base/buffer.h"
#include "services/department/mapping_condition.h"

#define VALUE_NESTING_LIMIT 8 /* values within values */

/* Bytes that a mapped event's data may have: a record of 2 MiB holds it beside its headers. */
#define MAPPED_DATA_LIMIT ((size_t)(2048 - 64) * 1024)

struct value;

enum value_use {
    VALUE_AS_DATA, /* a member of data: any JSON */
    VALUE_AS_TEXT, /* id, source, type, an identity */
    VALUE_AS_TIME,
};

struct value_member {
    const char *name; /* NULL in a list */
    struct value *value;
};

enum value_kind {
    VALUE_POINTER,
    VALUE_HEADER,
    VALUE_CONSTANT,
    VALUE_TEMPLATE,
    VALUE_FIRST,
    VALUE_OBJECT,
    VALUE_LIST,
};

enum value_scale { SCALE_NONE, SCALE_FIXED, SCALE_MINOR_UNITS };
enum value_time { TIME_NONE, TIME_UNIX_S, TIME_UNIX_MS, TIME_RFC3339 };

struct value {
    enum value_kind kind;
    const char *text;             /* pointer, header or template */
    json_t *constant;             /* borrowed from the file */
    struct span json;             /* the constant as JSON text */
    struct value_member *members; /* of first, object, list */
    size_t count;
    const struct condition *when, *unless; /* NULL: none */
    json_t *map;
    bool upper;
    enum value_scale scale;
    int shift; /* of SCALE_FIXED */
    enum value_time time;
};

struct value_result {
    enum { VALUE_ABSENT, VALUE_TEXT, VALUE_JSON } form;
    struct span span; /* the text itself, without quotes and escapes; or JSON text */
};

/* `at` is the value's pointer in the file. Memory from the arena; `json` must outlive it. */
int value_parse(struct arena *arena, json_t *json, const char *at, enum value_use use,
                struct value **out, struct fault *fault) CHECKED;

/* How small minor units are. */
struct minor_units {
    const struct value *currency; /* NULL: the rule maps none */
    json_t *exceptions; /* code → decimals, where the source differs from ISO 4217; or NULL */
};

/* ERR_INVALID (fault's
 * pointer is that of the element's member) for what is there and has no sense:
 * an amount that is no number, a time in another format. */
int value_get(const struct value *value, const struct mapping_input *input,
              const struct minor_units *minor_units, struct arena *arena,
              struct value_result *result, struct fault *fault) CHECKED;

/* Appends a result as JSON. ERR_INVALID when `out` comes to more than
 * MAPPED_DATA_LIMIT (its own limit must lie above). */
int value_append(const struct value_result *result, struct buffer *out,
                 struct fault *fault) CHECKED;

/* A result as text: a number or truth value as it is written; absent for an object or array. */
struct span value_text(const struct value_result *result);

/* "/a, /b, header X-Id": the places a value is looked for, for people. */
void value_places(const struct value *value, struct buffer *out);

/* Any value of which `visit` says true, this one and those within it, in turn. */
bool value_any(const struct value *value, bool (*visit)(const struct value *value, void *context),
               void *context);

#endif
