/*
 * Conditions on JSON, as configuration writes them: a mapping's "if", a handoff rule's "if", a
 * vocabulary's required members. Every member of a predicate must hold.
 *
 *   {"/type": "invoice.paid",                   equal to a constant
 *    "/data/object/status": ["paid", "open"],   equal to one of them
 *    "/data/object/customer": {"present": true},  there, not null, not ""
 *    "/amount": {"min": 1, "max": 5000},        a number within bounds, both included
 *    "/lines": {"type": "array"}}               of a JSON type
 *
 * Constants are strings, whole numbers, true, false and null (a member that is there and null).
 * A number is compared as a double; a text that is a decimal number ("12.50") counts as one.
 * Pure; read-only once parsed.
 */
#ifndef COMMON_JSON_PREDICATE_H
#define COMMON_JSON_PREDICATE_H

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/fault.h"

enum value_test_kind { TEST_EQUAL, TEST_PRESENT, TEST_ABSENT, TEST_BOUNDS, TEST_TYPE };

struct value_test {
    enum value_test_kind kind;
    json_t *expected; /* TEST_EQUAL: a constant, or a list of them; borrowed */
    double min, max;  /* TEST_BOUNDS: infinite where not given */
    json_type type;   /* TEST_TYPE: JSON_REAL stands for any number, JSON_TRUE for a boolean */
};

/* `at` is the pointer of `json` in its file; `json` must outlive the result. */
int value_test_parse(struct value_test *test, json_t *json, const char *at,
                     struct fault *fault) CHECKED;

/* `value` is NULL where there is none. */
bool value_test_holds(const struct value_test *test, json_t *value);

/* "string", "number", "boolean", "object", "array". */
bool json_type_named(const char *name, json_type *type);
const char *json_type_word(json_type type); /* "a string", "an array" … for messages */

struct predicate;

/* An object whose members' names are JSON Pointers. Memory from the arena; `json` must outlive it.
 */
int predicate_parse(struct arena *arena, json_t *json, const char *at, struct predicate **out,
                    struct fault *fault) CHECKED;

/* NULL holds always. */
bool predicate_holds(const struct predicate *predicate, json_t *root);

/* The constant, or list of constants, that a pointer is compared with; NULL where it is not. */
const json_t *predicate_constants(const struct predicate *predicate, const char *pointer);
size_t predicate_size(const struct predicate *predicate); /* how many members it compares */

#endif
