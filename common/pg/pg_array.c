#include "common/pg/pg.h"

static void next(struct buffer *array)
{
    buffer_append_char(array, array->len == 0 ? '{' : ',');
}

void pg_array_text(struct buffer *array, struct span element)
{
    if (!element.ptr) {
        pg_array_null(array);
        return;
    }
    next(array);
    buffer_append_char(array, '"');
    size_t from = 0;
    for (size_t i = 0; i < element.len; i++) {
        if (element.ptr[i] != '"' && element.ptr[i] != '\\')
            continue;
        buffer_append(array, element.ptr + from, i - from);
        buffer_append_char(array, '\\');
        from = i;
    }
    buffer_append(array, element.ptr + from, element.len - from);
    buffer_append_char(array, '"');
}

void pg_array_int(struct buffer *array, int64_t element)
{
    next(array);
    buffer_printf(array, "%lld", (long long)element);
}

void pg_array_null(struct buffer *array)
{
    next(array);
    buffer_append_text(array, "NULL");
}

void pg_array_end(struct buffer *array)
{
    if (array->len == 0)
        buffer_append_char(array, '{');
    buffer_append_char(array, '}');
}
