#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_statements.h"

static size_t big_endian(const char *p, size_t bytes)
{
    size_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

enum field {
    IDENTITY,
    ACCOUNT,
    OCCURRED_AT,
    UID,
    SOURCE,
    EVENT_ID,
    TYPE = 7,
    DATA = 12,
    PARTITION = 14,
    OFFSET,
    FIELDS
};

static void copy_text(char *out, size_t size, const char *text, size_t len)
{
    snprintf(out, size, "%.*s", (int)len, text);
}

/* What the statements of handoffs look at. */
static void read_details(struct store_row *row, const char *const field[FIELDS],
                         const size_t len[FIELDS])
{
    static const char member[] = "\"deal\":";
    row->occurred_at = (int64_t)big_endian(field[OCCURRED_AT], 8);
    memcpy(row->uid.bytes, field[UID], sizeof row->uid.bytes);
    copy_text(row->event_id, sizeof row->event_id, field[EVENT_ID], len[EVENT_ID]);
    copy_text(row->type, sizeof row->type, field[TYPE], len[TYPE]);
    const char *deal = len[DATA] ? memmem(field[DATA], len[DATA], member, sizeof member - 1) : NULL;
    row->deal[0] = deal ? deal[sizeof member - 1] : '\0';
}

/* One row of a binary COPY. NULL, or the SQLSTATE that refuses it. */
static const char *read_row(const char **p, const char *end, struct store_row *row)
{
    const char *start = *p, *field[FIELDS];
    size_t len[FIELDS];
    if (end - *p < 2 || big_endian(*p, 2) != FIELDS)
        return "22P04";
    *p += 2;
    for (int i = 0; i < FIELDS; i++) {
        if (end - *p < 4)
            return "22P04";
        len[i] = big_endian(*p, 4);
        *p += 4;
        field[i] = *p;
        if (len[i] == UINT32_MAX)
            len[i] = 0;
        else if (len[i] > (size_t)(end - *p))
            return "22P04";
        *p += len[i];
    }
    *row = (struct store_row){
        .partition = (int64_t)big_endian(field[PARTITION], 4),
        .offset = (int64_t)big_endian(field[OFFSET], 8),
        .identity = len[IDENTITY] ? (int64_t)big_endian(field[IDENTITY], 8) : -1,
        .account = len[ACCOUNT] ? (int64_t)big_endian(field[ACCOUNT], 8) : -1,
        .key = store_hash(store_hash(0, field[OCCURRED_AT], 8), field[UID], 16),
        .event =
            store_hash(store_hash(0, field[SOURCE], len[SOURCE]), field[EVENT_ID], len[EVENT_ID]),
        .bytes = store_hash(0, field[OCCURRED_AT], (size_t)(*p - field[OCCURRED_AT])),
    };
    read_details(row, field, len);
    return memmem(start, (size_t)(*p - start), "unstorable", 10) ? "22P02" : NULL;
}

/* Header, rows, trailer. */
const char *store_read_copy(const char *bytes, size_t len, struct store_rows *rows, bool unique,
                            size_t *count)
{
    const char *p = bytes + 19, *end = bytes + len;
    if (len < 21 || memcmp(bytes, "PGCOPY\n\377\r\n\0", 11) != 0)
        return "22P04";
    for (*count = 0; end - p != 2 || memcmp(p, "\377\377", 2) != 0; ++*count) {
        struct store_row row;
        const char *refused = read_row(&p, end, &row);
        if (refused)
            return refused;
        if (unique && store_find(rows, row.key))
            return "23505";
        store_add(rows, &row);
    }
    return NULL;
}
