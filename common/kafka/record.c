#include "common/kafka/record.h"

struct span record_header_value(const struct record *record, const char *name)
{
    struct span wanted = span_of(name);
    for (size_t i = record->header_count; i > 0; i--)
        if (span_equal(record->headers[i - 1].name, wanted))
            return record->headers[i - 1].value;
    return (struct span){NULL, 0};
}
