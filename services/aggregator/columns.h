/*
 * The parameters of a statement that works on many rows at once: an array a column, as
 * unnest($1::text[], $2::bigint[]) takes them. One thread.
 */
#ifndef SERVICES_AGGREGATOR_COLUMNS_H
#define SERVICES_AGGREGATOR_COLUMNS_H

#include "common/event/event_uid.h"
#include "common/pg/pg.h"

#define COLUMNS_LIMIT 20

struct columns {
    struct buffer column[COLUMNS_LIMIT];
    size_t rows; /* counted by who adds them */
};

void columns_init(struct columns *columns);
void columns_free(struct columns *columns);

/* Runs the statement with the first `count` columns. Without memory for one of them: ERR_MEMORY,
 * told. `result` may be NULL. */
int columns_put(struct pg *pg, struct columns *columns, const char *sql, int count,
                struct pg_result **result) CHECKED;

/* The first `count` columns as parameters, for a statement that has others before or behind them:
 * they end with that. */
int columns_params(struct columns *columns, int count, const char **params) CHECKED;

/* One more element, beside pg_array_text and pg_array_int. */
void column_uuid(struct buffer *column, const struct event_uid *id);
void column_time(struct buffer *column, int64_t microseconds); /* 0, for never: NULL */
void column_flag(struct buffer *column, bool flag);

#endif
