/*
 * The benchmark's yardstick: rows that were prepared beforehand, over one
 * connection, in one transaction, with the statement that the aggregator uses.
 * Prints {"rows": N, "bytes": N, "seconds": S}, from BEGIN to the end of COMMIT.
 *
 *   copy_rows DATABASE FILE      FILE: COPY … TO … (FORMAT binary)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/pg/pg.h"
#include "sql.h"

#define PIECE ((size_t)64 * 1024)
#define SIGNATURE                                                                                  \
    "PGCOPY\n\377\r\n" /* 11 bytes with its NUL, then flags, then the header's length */
#define HEADER  ((size_t)11 + 4 + 4)
#define TRAILER ((size_t)2) /* a row of -1 fields */

static int read_file(const char *path, char **bytes, size_t *len)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    bool complete = false;
    *bytes = NULL;
    if (file && fstat(fileno(file), &status) == 0) {
        *len = (size_t)status.st_size;
        *bytes = malloc(*len + 1);
        complete = *bytes && fread(*bytes, 1, *len, file) == *len;
    }
    if (file)
        fclose(file);
    if (complete)
        return 0;
    log_error("Cannot read the rows", LOG_TEXT("file", path), LOG_TEXT("error", strerror(errno)));
    free(*bytes);
    return ERR_IO;
}

static size_t be(const char *bytes, size_t count)
{
    size_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

/* The end of the row that begins at `at`; 0 when it is cut. */
static size_t row_end(const char *bytes, size_t len, size_t at)
{
    size_t fields = be(bytes + at, 2);
    at += 2;
    for (; fields > 0; fields--) {
        if (at + 4 > len)
            return 0;
        size_t size = be(bytes + at, 4);
        at += 4 + (size == UINT32_MAX ? 0 : size); /* all ones: NULL */
    }
    return at + TRAILER <= len ? at : 0;
}

/* The rows between the format's header and trailer, and how many. */
static int find_rows(const char *bytes, size_t len, struct span *rows, int64_t *count)
{
    *count = 0;
    size_t at = HEADER;
    if (len < HEADER + TRAILER || memcmp(bytes, SIGNATURE, 11) != 0) {
        log_error("The file is no binary COPY");
        return ERR_IO;
    }
    at += be(bytes + 15, 4);
    size_t start = at;
    while (at != 0 && at + TRAILER <= len && be(bytes + at, 2) != UINT16_MAX) {
        at = row_end(bytes, len, at);
        ++*count;
    }
    if (at == 0 || at + TRAILER != len) {
        log_error("The file is cut", LOG_INT("rows", *count));
        return ERR_IO;
    }
    *rows = (struct span){bytes + start, at - start};
    return 0;
}

static int copy(struct pg *pg, struct span rows, int64_t count)
{
    int rc = pg_script(pg, "BEGIN");
    if (rc == 0)
        rc = pg_copy_begin(pg, SQL_EVENTS_COPY);
    if (rc != 0)
        return rc;
    for (size_t at = 0; at < rows.len; at += PIECE) {
        size_t len = rows.len - at < PIECE ? rows.len - at : PIECE;
        pg_copy_put(pg, (struct span){rows.ptr + at, len});
    }
    rc = pg_copy_end(pg, count);
    if (rc != 0)
        log_error("PostgreSQL refuses the rows", LOG_TEXT("error", pg_message(pg)));
    return rc ? rc : pg_script(pg, "COMMIT");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: copy_rows DATABASE FILE\n");
        return 2;
    }
    log_init("copy_rows", LOG_LEVEL_WARN);
    char *bytes;
    size_t len;
    struct span rows;
    int64_t count, started = 0, ended = 0;
    struct pg *pg = NULL;
    if (read_file(argv[2], &bytes, &len) != 0)
        return 1;
    int rc = find_rows(bytes, len, &rows, &count);
    if (rc == 0)
        rc = pg_open(argv[1], "copy_rows", NULL, &pg);
    if (rc == 0) {
        pg_set_answer_ms(pg, PG_LONG_WORK_MS); /* the COPY counts as one call */
        started = clock_monotonic_us();
        rc = copy(pg, rows, count);
        ended = clock_monotonic_us();
    }
    pg_close(pg);
    free(bytes);
    if (rc != 0)
        return 1;
    printf("{\"rows\": %lld, \"bytes\": %zu, \"seconds\": %.6f}\n", (long long)count, rows.len,
           (double)(ended - started) / 1e6);
    return 0;
}
