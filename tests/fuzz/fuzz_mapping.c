/*
 * A webhook through a shipped source: a digit for the source, lines of headers, a
 * blank one, the body.
 */
#include "tests/fuzz/kit.h"
#include "tests/fuzz/mapped.h"

#define HEADERS_LIMIT 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sources *sources = kit_world()->sources;
    struct record_header headers[HEADERS_LIMIT];
    struct span rest = {(const char *)data, size}, line;
    if (!kit_line(&rest, &line) || line.len == 0)
        return 0;
    size_t index = (unsigned char)(line.ptr[0] - '0') % sources->count;
    const struct source *source = &sources->items[index];
    size_t count = kit_headers(&rest, headers, HEADERS_LIMIT);
    map_body(source->mapping, source->department, kit_copy(rest), headers, count);
    kit_end();
    return 0;
}
