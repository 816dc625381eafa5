#include "services/aggregator/columns.h"

#include "common/base/log.h"
#include "services/aggregator/handoff_asked.h"

#define ARRAY_LIMIT ((size_t)64 * 1024 * 1024)

void columns_init(struct columns *columns)
{
    columns->rows = 0;
    for (size_t i = 0; i < COLUMNS_LIMIT; i++)
        buffer_init(&columns->column[i], ARRAY_LIMIT);
}

void columns_free(struct columns *columns)
{
    for (size_t i = 0; i < COLUMNS_LIMIT; i++)
        buffer_free(&columns->column[i]);
}

int columns_params(struct columns *columns, int count, const char **params)
{
    for (int i = 0; i < count; i++) {
        pg_array_end(&columns->column[i]);
        if (columns->column[i].failed) {
            log_error("No memory for the parameters of a batch");
            return ERR_MEMORY;
        }
        params[i] = columns->column[i].data;
    }
    return 0;
}

int columns_put(struct pg *pg, struct columns *columns, const char *sql, int count,
                struct pg_result **result)
{
    const char *params[COLUMNS_LIMIT];
    int rc = columns_params(columns, count, params);
    return rc ? rc : pg_query_prepared(pg, sql, params, count, result);
}

void column_uuid(struct buffer *column, const struct event_uid *id)
{
    char text[EVENT_UID_TEXT];
    event_uid_text(id, text);
    pg_array_text(column, span_of(text));
}

void column_time(struct buffer *column, int64_t microseconds)
{
    if (microseconds)
        pg_array_int(column, microseconds);
    else
        pg_array_null(column);
}

void column_flag(struct buffer *column, bool flag)
{
    pg_array_text(column, span_of(flag ? "true" : "false"));
}
