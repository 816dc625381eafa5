/* A mapping in memory: made by mapping_parse.c, applied by mapping.c. */
#ifndef SERVICES_DEPARTMENT_MAPPING_RULES_H
#define SERVICES_DEPARTMENT_MAPPING_RULES_H

#include "services/department/mapping.h"
#include "services/department/mapping_value.h"

#define MAPPING_RULES_LIMIT   256
#define MAPPING_HEADERS_LIMIT 16

enum rule_action { RULE_MAP, RULE_IGNORE, RULE_QUARANTINE };

struct value_list {
    struct value_member *items;
    size_t count;
};

struct rule {
    const struct condition *when, *unless; /* NULL: none */
    enum rule_action action;
    const char *reason; /* of ignore and quarantine */
    struct value *type;
    struct value *id, *time;
    struct value *source;       /* NULL: /webhooks/<name> */
    struct value_list customer; /* of a person's kinds */
    struct value_list account;  /* of an organisation's, named without "account." */
    const char *no_customer;    /* the reason where none of them has a value */
    struct value_list data;
    struct minor_units minor_units;
};

struct mapping {
    json_t *root; /* a reference: strings of the file are borrowed everywhere */
    struct arena arena;
    const char *fallback_source;
    const char *each; /* NULL: the body, or each element where it is an array */
    bool payload;
    bool ignore_others;
    struct rule *rules;
    size_t rule_count;
    const char *headers[MAPPING_HEADERS_LIMIT]; /* sorted */
    size_t header_count;
};

#endif
