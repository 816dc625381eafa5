#include "common/base/span.h"

#include <strings.h>

int span_compare(struct span a, struct span b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool span_starts_with(struct span s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

bool span_is_nocase(struct span s, const char *text)
{
    return s.len == strlen(text) && (s.len == 0 || strncasecmp(s.ptr, text, s.len) == 0);
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

bool span_next_line(struct span *rest, struct span *line)
{
    size_t start = 0;
    while (start < rest->len && ends_line(rest->ptr[start]))
        start++;
    size_t end = start;
    while (end < rest->len && !ends_line(rest->ptr[end]))
        end++;
    *line = (struct span){rest->len > 0 ? rest->ptr + start : NULL, end - start};
    *rest = (struct span){rest->len > 0 ? rest->ptr + end : NULL, rest->len - end};
    return line->len > 0;
}
