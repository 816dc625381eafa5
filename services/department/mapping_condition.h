/*
 * When a rule or a value counts: every member of the condition must hold.
 *
 *   {"/type": "invoice.paid",                  members of the payload: common/json/predicate.h
 *    "headers": {"X-Topic": "orders/create"}}  request headers, compared as text
 */
#ifndef SERVICES_DEPARTMENT_MAPPING_CONDITION_H
#define SERVICES_DEPARTMENT_MAPPING_CONDITION_H

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "services/department/mapping_input.h"

struct condition;

/* `at` is the condition's own pointer in the file. Memory from the arena;
 * `json` must outlive the result. */
int condition_parse(struct arena *arena, json_t *json, const char *at, struct condition **out,
                    struct fault *fault) CHECKED;

bool condition_holds(const struct condition *condition, const struct mapping_input *input);

/* Calls `visit` with every header name. */
void condition_headers(const struct condition *condition,
                       void (*visit)(const char *name, void *context), void *context);

#endif
