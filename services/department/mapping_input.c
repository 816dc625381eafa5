#include "services/department/mapping_input.h"

#include "common/json/json_pointer.h"

json_t *input_member(const struct mapping_input *input, const char *pointer)
{
    return json_pointer_get(input->tree, pointer);
}

bool input_has_value(json_t *member)
{
    return member && !json_is_null(member) &&
           !(json_is_string(member) && json_string_length(member) == 0);
}

struct span input_header(const struct mapping_input *input, const char *name)
{
    for (size_t i = 0; i < input->header_count; i++)
        if (span_is_nocase(input->headers[i].name, name))
            return input->headers[i].value.len > 0 ? input->headers[i].value : (struct span){0};
    return (struct span){0};
}
