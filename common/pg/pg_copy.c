#include "common/pg/pg_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

/* libpq copies what it is given into a buffer that grows to the largest piece. */
#define COPY_PIECE ((size_t)64 * 1024)

/* PostgreSQL counts timestamps from 2000-01-01T00:00:00Z. */
#define EPOCH_2000_US (INT64_C(946684800) * 1000000)

/* "COPY", Binary Format: signature, flags, length of the header's extension. */
static const char header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
static const char trailer[2] = "\377\377";

/* Each piece goes out before the next one is taken: not being allowed to wait, libpq would rather
 * keep all of them in memory. A failed put says no more than that; the reason comes with the
 * result. */
static bool put(struct pg *pg, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t piece = len < COPY_PIECE ? len : COPY_PIECE;
        if (PQputCopyData(pg->conn, bytes, (int)piece) != 1 || pg_flush(pg) != 0)
            return false;
        bytes += piece;
        len -= piece;
    }
    return true;
}

/* One of the results of a COPY that has ended. */
static int judge(struct pg *pg, PGresult *result, int64_t rows)
{
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return pg_fail(pg, result);
    const char *taken = PQcmdTuples(result);
    if (atoll(taken) == rows)
        return 0;
    log_error("PostgreSQL took another number of rows than were sent", LOG_INT("sent", rows),
              LOG_TEXT("taken", taken));
    return ERR_IO;
}

/* Reads the answer to the end, so that the connection takes the next statement. */
static int finish(struct pg *pg, int64_t rows)
{
    int rc = 0;
    for (bool told = false;; told = true) {
        PGresult *result;
        int next = pg_next(pg, &result);
        if (next != 0)
            return rc ? rc : next;
        if (!result) /* without a word of how it went: nobody knows */
            return told ? rc : pg_fail(pg, NULL);
        rc = rc ? rc : judge(pg, result, rows);
        bool again = PQresultStatus(result) == PGRES_COPY_IN;
        PQclear(result);
        if (again)
            return rc; /* the connection is gone, libpq would answer this for ever */
    }
}

int pg_copy_begin(struct pg *pg, const char *sql)
{
    PGresult *begun;
    int rc = pg_begin(pg, sql);
    if (rc == 0)
        rc = pg_answer(pg, PQsendQuery(pg->conn, sql), &begun);
    if (rc != 0)
        return rc;
    rc = PQresultStatus(begun) == PGRES_COPY_IN ? 0 : pg_fail(pg, begun);
    PQclear(begun);
    pg->copy_cut = rc != 0 || !put(pg, header, sizeof header);
    return rc;
}

void pg_copy_put(struct pg *pg, struct span rows)
{
    pg->copy_cut = pg->copy_cut || !put(pg, rows.ptr, rows.len);
}

int pg_copy_end(struct pg *pg, int64_t rows)
{
    bool sent = !pg->copy_cut && put(pg, trailer, sizeof trailer);
    if (pg->broken) /* and that was told: it did not answer in time */
        return pg->stop_deadline ? ERR_STOPPED : ERR_BUSY;
    bool ended = PQputCopyEnd(pg->conn, sent ? NULL : "cut short by the client") == 1;
    int rc = pg_flush(pg);
    if (rc == 0)
        rc = finish(pg, rows);
    /* Nothing wrong in the answer, yet not all went out: the connection is lost. */
    if (rc == 0 && !(sent && ended))
        rc = pg_fail(pg, NULL);
    if (rc == 0)
        pg->heard_ms = clock_monotonic_ms();
    return rc;
}

void pg_field_text(struct buffer *row, struct span value)
{
    if (!value.ptr) {
        pg_field_null(row);
        return;
    }
    if (value.len > INT32_MAX) {
        row->failed = true;
        return;
    }
    buffer_append_be32(row, (uint32_t)value.len);
    buffer_append_span(row, value);
}

void pg_field_int64(struct buffer *row, int64_t value)
{
    buffer_append_be32(row, sizeof value);
    buffer_append_be64(row, (uint64_t)value);
}

void pg_field_int32(struct buffer *row, int32_t value)
{
    buffer_append_be32(row, sizeof value);
    buffer_append_be32(row, (uint32_t)value);
}

void pg_field_time(struct buffer *row, int64_t unix_us)
{
    pg_field_int64(row, unix_us - EPOCH_2000_US);
}

void pg_field_null(struct buffer *row)
{
    buffer_append_be32(row, UINT32_MAX); /* length -1 */
}
