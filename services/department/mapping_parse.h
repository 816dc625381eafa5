/* How a source file becomes a mapping: mapping_parse.c the file, mapping_rule_parse.c its rules. */
#ifndef SERVICES_DEPARTMENT_MAPPING_PARSE_H
#define SERVICES_DEPARTMENT_MAPPING_PARSE_H

#include "services/department/mapping_rules.h"

/* What a source file is read with. */
struct parsing {
    struct mapping *mapping;
    json_t *root;
    const struct department *department;
    const struct identity_kinds *kinds;
    struct fault *fault;
};

/* Reads one of "rules"; `at` is its pointer. */
int rule_parse(const struct parsing *parsing, struct rule *rule, json_t *json,
               const char *at) CHECKED;

#endif
