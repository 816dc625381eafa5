/* A webhook's body through a mapping, as the intake does it. */
#ifndef TESTS_FUZZ_MAPPED_H
#define TESTS_FUZZ_MAPPED_H

#include "services/department/mapping.h"

/* Maps the body's elements; what becomes an event must reach the timeline. */
void map_body(const struct mapping *mapping, const struct department *department, struct span body,
              const struct record_header *headers, size_t header_count);

#endif
