#include "services/aggregator/quarantine.h"

#include <stdio.h>

#include "common/base/hex.h"
#include "common/base/log.h"
#include "services/aggregator/stage_metrics.h"
#include "sql.h"

/* Twice the largest record, as hex, and some. */
#define TEXT_LIMIT ((size_t)256 * 1024 * 1024)

/* bytea's hex form; NULL stays NULL. */
static const char *as_bytea(struct buffer *text, struct span bytes)
{
    buffer_init(text, TEXT_LIMIT);
    if (!bytes.ptr)
        return NULL;
    buffer_append_text(text, "\\x");
    hex_append(text, bytes);
    return text->data;
}

static void append_bytea(struct buffer *array, struct span bytes)
{
    struct buffer text;
    const char *hex = as_bytea(&text, bytes);
    if (text.failed)
        array->failed = true; /* else it would be kept as one that was not there */
    else
        pg_array_text(array, span_of(hex));
    buffer_free(&text);
}

static void append_headers(struct buffer *array, const struct batch_quarantine *entry)
{
    for (size_t i = 0; i < entry->header_count; i++) {
        append_bytea(array, entry->headers[i].name);
        append_bytea(array, entry->headers[i].value);
    }
    pg_array_end(array);
}

/* *put: false where this very record is in quarantine already. */
static int put_one(struct pg *pg, const char *sql, const struct batch_quarantine *entry, bool *put)
{
    struct pg_result *result = NULL;
    char partition[16], offset[24];
    snprintf(partition, sizeof partition, "%d", entry->partition->partition);
    snprintf(offset, sizeof offset, "%lld", (long long)entry->offset);
    struct buffer key, value, headers;
    buffer_init(&headers, TEXT_LIMIT);
    append_headers(&headers, entry);
    const char *key_text = as_bytea(&key, entry->key);
    const char *value_text = as_bytea(&value, entry->value);
    int rc = ERR_MEMORY;
    if (key.failed || value.failed || headers.failed) {
        log_error("No memory for a quarantined record");
    } else {
        const char *const params[] = {entry->partition->topic, partition, offset,     entry->reason,
                                      entry->detail,           key_text,  value_text, headers.data};
        rc = pg_query_prepared(pg, sql, params, 8, &result);
    }
    *put = rc == 0 && pg_affected(result) > 0;
    pg_result_free(result);
    buffer_free(&headers);
    buffer_free(&key);
    buffer_free(&value);
    return rc;
}

int quarantine_waiting(struct pg *pg, int64_t *waiting)
{
    struct pg_result *row;
    int rc = pg_query_prepared(pg, SQL_QUARANTINE_WAITING, NULL, 0, &row);
    if (rc != 0)
        return rc;
    *waiting = pg_int(row, 0, 0);
    pg_result_free(row);
    stage_metrics_waiting(*waiting);
    return 0;
}

/* How many rows PostgreSQL refuses is known only when they are written, and they cannot be left for
 * the next batch: they go in together as soon as there is room for one. Else a batch that has more
 * of them than there is room would be tried for ever. */
static int check_limit(struct pg *pg, int64_t limit, const struct batch *batch, int64_t fresh)
{
    int64_t waiting;
    int rc = quarantine_waiting(pg, &waiting);
    if (rc != 0)
        return rc;
    int64_t before = waiting - fresh;
    return waiting <= limit || (batch->refused_count > 0 && before < limit) ? 0 : ERR_LIMIT;
}

int quarantine_put(struct pg *pg, const struct batch *batch, bool carefully, int64_t limit)
{
    int64_t fresh = 0;
    for (size_t i = 0; i < batch->quarantine_count; i++) {
        const struct batch_quarantine *entry = &batch->quarantine[i];
        bool put;
        int rc =
            put_one(pg, carefully ? SQL_QUARANTINE_PUT_AGAIN : SQL_QUARANTINE_PUT, entry, &put);
        if (rc != 0)
            return rc;
        fresh += put;
        if (put)
            continue;
        entry->partition->books.quarantined--; /* read again, by hand */
        entry->partition->books.duplicates++;
    }
    return fresh > 0 ? check_limit(pg, limit, batch, fresh) : 0;
}
