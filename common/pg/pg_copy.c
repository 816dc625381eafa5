#include "common/pg/pg_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

/* libpq copies what it is given into a buffer that grows to the largest piece. */
#define COPY_PIECE ((size_t)64 * 1024)

/* PostgreSQL counts timestamps from 2000-01-01T00:00:00Z. */
#define EPOCH_2000_US (INT64_C(946684800) * 1000000)

/* "COPY", Binary Format: signature, flags, length of the header's extension. */
static const char header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
static const char trailer[2] = "\377\377";

/* A failed put says no more than that; the reason comes with the result. */
static bool put(PGconn *conn, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t piece = len < COPY_PIECE ? len : COPY_PIECE;
        if (PQputCopyData(conn, bytes, (int)piece) != 1)
            return false;
        bytes += piece;
        len -= piece;
    }
    return true;
}

/* Reads the answer to the end, so that the connection takes the next statement. */
static int finish(struct pg *pg, int64_t rows)
{
    int rc = 0;
    PGresult *result;
    while ((result = PQgetResult(pg->conn)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COMMAND_OK && rc == 0 && atoll(PQcmdTuples(result)) != rows) {
            log_error("PostgreSQL took another number of rows than were sent",
                      LOG_INT("sent", rows), LOG_TEXT("taken", PQcmdTuples(result)));
            rc = ERR_IO;
        } else if (status != PGRES_COMMAND_OK && rc == 0) {
            rc = pg_fail(pg, result);
        }
        bool again = status == PGRES_COPY_IN;
        PQclear(result);
        if (again)
            break; /* the connection is gone, libpq would answer this for ever */
    }
    return rc;
}

int pg_copy_begin(struct pg *pg, const char *sql)
{
    PGresult *begun = PQexec(pg->conn, sql);
    int rc = PQresultStatus(begun) == PGRES_COPY_IN ? 0 : pg_fail(pg, begun);
    PQclear(begun);
    pg->copy_cut = rc != 0 || !put(pg->conn, header, sizeof header);
    return rc;
}

void pg_copy_put(struct pg *pg, struct span rows)
{
    pg->copy_cut = pg->copy_cut || !put(pg->conn, rows.ptr, rows.len);
}

int pg_copy_end(struct pg *pg, int64_t rows)
{
    bool sent = !pg->copy_cut && put(pg->conn, trailer, sizeof trailer);
    bool ended = PQputCopyEnd(pg->conn, sent ? NULL : "cut short by the client") == 1;
    int rc = finish(pg, rows);
    /* Nothing wrong in the answer, yet not all went out: the connection is lost. */
    if (rc == 0 && !(sent && ended))
        rc = pg_fail(pg, NULL);
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
