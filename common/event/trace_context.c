#include "common/event/trace_context.h"

#include <stdbool.h>

/* Where the parts of `00-<trace id>-<parent id>-<flags>` stand. */
#define TRACE_AT   3
#define TRACE_LEN  32
#define PARENT_AT  36
#define PARENT_LEN 16
#define FLAGS_AT   53
#define FLAGS_LEN  2
#define WHOLE_LEN  55

static bool is_hex(struct span text, size_t at, size_t len)
{
    for (size_t i = at; i < at + len; i++) {
        char c = text.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return true;
}

static bool is_zero(struct span text, size_t at, size_t len)
{
    for (size_t i = at; i < at + len; i++)
        if (text.ptr[i] != '0')
            return false;
    return true;
}

/* What a later version adds stands behind another dash; nothing is known of it but that it must be
 * able to stand in a header. */
static bool rest_is_fine(struct span text)
{
    bool first = span_starts_with(text, "00");
    if (text.len == WHOLE_LEN)
        return true;
    if (first || text.ptr[WHOLE_LEN] != '-')
        return false;
    for (size_t i = WHOLE_LEN; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

struct span trace_parent(struct span text)
{
    const struct span none = {NULL, 0};
    if (!text.ptr || text.len < WHOLE_LEN || text.len > TRACE_PARENT_LIMIT)
        return none;
    bool form = is_hex(text, 0, 2) && text.ptr[2] == '-' && is_hex(text, TRACE_AT, TRACE_LEN) &&
                text.ptr[PARENT_AT - 1] == '-' && is_hex(text, PARENT_AT, PARENT_LEN) &&
                text.ptr[FLAGS_AT - 1] == '-' && is_hex(text, FLAGS_AT, FLAGS_LEN);
    if (!form || span_starts_with(text, "ff") || is_zero(text, TRACE_AT, TRACE_LEN) ||
        is_zero(text, PARENT_AT, PARENT_LEN))
        return none;
    return rest_is_fine(text) ? text : none;
}

struct span trace_parent_of_headers(const struct record_header *headers, size_t count)
{
    struct span found = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        if (!span_is_nocase(headers[i].name, TRACE_PARENT))
            continue;
        if (found.ptr)
            return (struct span){NULL, 0};
        found = headers[i].value;
    }
    return trace_parent(found);
}

void trace_event(struct event *event, struct span given)
{
    struct span own = event_extension(event, TRACE_PARENT);
    if (trace_parent(own).ptr)
        return;
    event_remove_extension(event, TRACE_PARENT);
    int full = given.ptr ? event_set_extension(event, TRACE_PARENT, given) : 0;
    (void)full; /* then it goes without */
}
