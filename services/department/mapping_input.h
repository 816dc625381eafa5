/* What a mapping reads: one element's bytes and tree, and the request's headers. */
#ifndef SERVICES_DEPARTMENT_MAPPING_INPUT_H
#define SERVICES_DEPARTMENT_MAPPING_INPUT_H

#include <jansson.h>

#include "common/kafka/record.h"

struct mapping_input {
    struct span text;
    json_t *tree;
    const struct record_header *headers;
    size_t header_count;
};

/* The member that a pointer leads to; NULL where there is none. Borrowed. */
json_t *input_member(const struct mapping_input *input, const char *pointer);

/* A member, a null or an empty text: only the first is a value. */
bool input_has_value(json_t *member);

/* The first header of that name, case aside; absent where there is none or it is empty. */
struct span input_header(const struct mapping_input *input, const char *name);

#endif
