#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hex.h"
#include "common/json/json_scan.h"
#include "common/pg/pg.h"
#include "services/cli/quarantine.h"
#include "services/cli/text.h"
#include "sql.h"

#define OUTPUT_LIMIT ((size_t)128 * 1024 * 1024) /* a record of 10 MB, escaped */

/* Bytes of a bytea that came as hex; ptr NULL for NULL or without memory. The caller frees. */
static struct span bytes_of(const struct pg_result *result, int row, int column)
{
    struct span hex = pg_span(result, row, column);
    if (!hex.ptr)
        return (struct span){NULL, 0};
    size_t len;
    unsigned char *bytes = malloc(hex.len / 2 + 1);
    if (!bytes || hex_decode(hex, bytes, hex.len / 2, &len) != 0) {
        free(bytes);
        return (struct span){NULL, 0};
    }
    return (struct span){(char *)bytes, len};
}

static void free_bytes(struct span bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}

/* As text where it is text, else as hex. */
static void append_readable(struct buffer *out, struct span bytes)
{
    if (!bytes.ptr)
        buffer_append_text(out, "(none)");
    else if (utf8_valid(bytes))
        text_append(out, bytes, -1);
    else
        hex_append(out, bytes);
}

/* {"text": "…"} or {"base64": "…"}; null for none. */
static void append_json_bytes(struct buffer *out, struct span bytes)
{
    if (!bytes.ptr) {
        buffer_append_text(out, "null");
    } else if (utf8_valid(bytes)) {
        buffer_append_text(out, "{\"text\": ");
        buffer_append_json_string(out, bytes);
        buffer_append_char(out, '}');
    } else {
        buffer_append_text(out, "{\"base64\": \"");
        base64_append(out, bytes);
        buffer_append_text(out, "\"}");
    }
}

static const int last_plain = 9; /* of quarantine_show.sql: then key and value, in hex */

static void append_json(struct buffer *out, const struct pg_result *row,
                        const struct pg_result *headers, struct span key, struct span value)
{
    for (int c = 0; c <= last_plain; c++) {
        bool number = c == 0 || c == 2 || c == 3;
        buffer_printf(out, "%s\"%s\": ", c ? ", " : "{", pg_column(row, c));
        if (pg_is_null(row, 0, c))
            buffer_append_text(out, "null");
        else if (number)
            buffer_append_text(out, pg_text(row, 0, c));
        else
            buffer_append_json_string(out, pg_span(row, 0, c));
    }
    buffer_append_text(out, ", \"key\": ");
    append_json_bytes(out, key);
    buffer_append_text(out, ", \"headers\": [");
    for (int h = 0; h + 1 < pg_rows(headers); h += 2) {
        struct span name = bytes_of(headers, h, 0), text = bytes_of(headers, h + 1, 0);
        buffer_append_text(out, h ? ", {\"name\": " : "{\"name\": ");
        append_json_bytes(out, name);
        buffer_append_text(out, ", \"value\": ");
        append_json_bytes(out, text);
        buffer_append_char(out, '}');
        free_bytes(name);
        free_bytes(text);
    }
    buffer_append_text(out, "], \"value\": ");
    append_json_bytes(out, value);
    buffer_append_text(out, "}\n");
}

static void append_for_people(struct buffer *out, const struct pg_result *row,
                              const struct pg_result *headers, struct span key, struct span value)
{
    for (int c = 0; c <= last_plain; c++) {
        if (pg_is_null(row, 0, c))
            continue;
        buffer_printf(out, "%-14s ", pg_column(row, c));
        text_append(out, pg_span(row, 0, c), -1);
        buffer_append_char(out, '\n');
    }
    buffer_printf(out, "%-14s ", "key");
    append_readable(out, key);
    buffer_append_text(out, "\nheaders\n");
    for (int h = 0; h + 1 < pg_rows(headers); h += 2) {
        struct span name = bytes_of(headers, h, 0), text = bytes_of(headers, h + 1, 0);
        buffer_append_text(out, "  ");
        append_readable(out, name);
        buffer_append_text(out, ": ");
        append_readable(out, text);
        buffer_append_char(out, '\n');
        free_bytes(name);
        free_bytes(text);
    }
    buffer_printf(out, "value (%zu bytes)\n", value.len);
    append_readable(out, value);
    buffer_append_char(out, '\n');
}

int quarantine_show(const struct cli *cli, struct pg *pg, const char *id)
{
    struct pg_result *row = NULL, *headers = NULL;
    int rc = pg_query(pg, SQL_QUARANTINE_SHOW, &id, 1, &row);
    if (rc == 0)
        rc = pg_query(pg, SQL_QUARANTINE_HEADERS, &id, 1, &headers);
    int status = rc == 0 ? EXIT_OK : cli_query_failed(pg, rc);
    if (rc == 0 && pg_rows(row) == 0) {
        status = cli_failed("there is no record %s in quarantine", id);
    } else if (rc == 0) {
        struct buffer out;
        struct span key = bytes_of(row, 0, last_plain + 1);
        struct span value = bytes_of(row, 0, last_plain + 2);
        buffer_init(&out, OUTPUT_LIMIT);
        if (cli->json)
            append_json(&out, row, headers, key, value);
        else
            append_for_people(&out, row, headers, key, value);
        if (out.failed)
            status = cli_failed("the record is too large to show");
        else
            fwrite(out.data, 1, out.len, stdout);
        buffer_free(&out);
        free_bytes(key);
        free_bytes(value);
    }
    pg_result_free(row);
    pg_result_free(headers);
    return status;
}
