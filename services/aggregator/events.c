#include "services/aggregator/events.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "sql.h"

#define PIECE  ((size_t)64 * 1024) /* of COPY, assembled and sent at once */
#define FIELDS 16                  /* columns of SQL_EVENTS_COPY */

static int by_key(const void *a, const void *b)
{
    const struct batch_row *x = a, *y = b;
    if (x->occurred_at != y->occurred_at)
        return x->occurred_at < y->occurred_at ? -1 : 1;
    int order = memcmp(x->uid.bytes, y->uid.bytes, sizeof x->uid.bytes);
    if (order != 0)
        return order;
    /* The record that came first stays, whatever order qsort meets them in. */
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static bool same_key(const struct batch_row *a, const struct batch_row *b)
{
    return a->occurred_at == b->occurred_at &&
           memcmp(a->uid.bytes, b->uid.bytes, sizeof a->uid.bytes) == 0;
}

static bool same_event(const struct batch *batch, const struct batch_row *a,
                       const struct batch_row *b)
{
    struct span source[2], id[2];
    batch_row_key(batch, a, &source[0], &id[0]);
    batch_row_key(batch, b, &source[1], &id[1]);
    return span_equal(source[0], source[1]) && span_equal(id[0], id[1]);
}

/* Takes a row off the timeline's list and puts its record into quarantine. */
static int refuse(struct batch *batch, const struct batch_row *row, const char *reason,
                  const char *detail)
{
    if (!row->message) {
        batch->refused = arena_strdup(&batch->arena, span_of(detail));
        return batch->refused ? ERR_NOT_FOUND : ERR_MEMORY;
    }
    struct kafka_message message;
    kafka_message_view(row->message, &message);
    log_warn("A record goes to quarantine", LOG_TEXT("reason", reason),
             LOG_TEXT("topic", row->partition->topic),
             LOG_INT("partition", row->partition->partition), LOG_INT("offset", row->offset));
    return batch_add_quarantine(batch, row->partition, &message.record, reason, detail);
}

/* Removes row i of the unique ones, keeping their order; its message is dropped. */
static void remove_row(struct batch *batch, size_t i)
{
    kafka_message_drop(batch->row[i].message);
    memmove(&batch->row[i], &batch->row[i + 1], (batch->row_count - i - 1) * sizeof *batch->row);
    batch->row_count--;
    batch->unique_count--;
}

/* Moves rows that repeat another one behind the others. */
static int set_repeated_aside(struct batch *batch)
{
    struct batch_row *repeated = malloc((batch->row_count + 1) * sizeof *repeated);
    if (!repeated) {
        log_error("No memory for the rows of a batch");
        return ERR_MEMORY;
    }
    size_t unique = 0, repeats = 0;
    int rc = 0;
    for (size_t i = 0; i < batch->row_count; i++) {
        if (unique > 0 && same_key(&batch->row[unique - 1], &batch->row[i])) {
            if (!same_event(batch, &batch->row[unique - 1], &batch->row[i])) {
                rc = rc ? rc
                        : refuse(batch, &batch->row[i], REASON_UID_COLLISION,
                                 "another event of the same moment has the same event_uid");
                kafka_message_drop(batch->row[i].message);
                continue;
            }
            repeated[repeats++] = batch->row[i];
        } else {
            batch->row[unique++] = batch->row[i];
        }
    }
    memcpy(&batch->row[unique], repeated, repeats * sizeof *repeated);
    batch->unique_count = unique;
    batch->row_count = unique + repeats;
    free(repeated);
    return rc;
}

static void clear_books(struct batch *batch)
{
    for (size_t i = 0; i < batch->row_count; i++) {
        struct books *books = &batch->row[i].partition->books;
        books->on_timeline = books->duplicates = 0;
    }
    for (size_t i = 0; i < batch->quarantine_count; i++)
        batch->quarantine[i].partition->books.quarantined = 0;
}

static void count_books(struct batch *batch)
{
    clear_books(batch);
    for (size_t i = 0; i < batch->row_count; i++) {
        struct books *books = &batch->row[i].partition->books;
        if (i < batch->unique_count)
            books->on_timeline++;
        else
            books->duplicates++;
    }
    for (size_t i = 0; i < batch->quarantine_count; i++)
        batch->quarantine[i].partition->books.quarantined++;
}

int events_prepare(struct batch *batch)
{
    int rc = 0;
    batch->unique_count = 0;
    if (batch->row_count > 0) { /* without any there need not be an array, either */
        qsort(batch->row, batch->row_count, sizeof *batch->row, by_key);
        rc = set_repeated_aside(batch);
    }
    count_books(batch);
    return rc;
}

/* One COPY of the rows from..to into the table that `sql` names. */
static int copy_range(struct pg *pg, const struct batch *batch, const char *sql, size_t from,
                      size_t to)
{
    struct buffer piece;
    buffer_init(&piece, PIECE + batch->rows.len);
    int rc = pg_copy_begin(pg, sql);
    if (rc != 0)
        return rc;
    for (size_t i = from; i < to; i++) {
        const struct batch_row *row = &batch->row[i];
        buffer_append_be16(&piece, FIELDS);
        pg_field_int64(&piece, batch->identity[row->identity].identity_id);
        if (row->account == BATCH_NONE)
            pg_field_null(&piece);
        else
            pg_field_int64(&piece, batch->identity[row->account].identity_id);
        buffer_append(&piece, batch->rows.data + row->start, row->len);
        if (piece.len >= PIECE) {
            pg_copy_put(pg, buffer_span(&piece));
            buffer_clear(&piece);
        }
    }
    /* A piece cut short for want of memory makes the row count differ, and so the COPY fail. */
    if (!piece.failed)
        pg_copy_put(pg, buffer_span(&piece));
    rc = pg_copy_end(pg, (int64_t)(to - from));
    buffer_free(&piece);
    return rc;
}

int events_copy(struct pg *pg, const struct batch *batch)
{
    if (batch->unique_count == 0)
        return 0;
    return copy_range(pg, batch, SQL_EVENTS_COPY, 0, batch->unique_count);
}

/* Stages the rows from..*to, halving around those that PostgreSQL refuses, which go to quarantine;
 * *to comes down by as many. */
static int stage(struct pg *pg, struct batch *batch, size_t from, size_t *to)
{
    if (from == *to)
        return 0;
    int rc = pg_script(pg, "SAVEPOINT staged");
    if (rc == 0)
        rc = copy_range(pg, batch, SQL_EVENTS_STAGE, from, *to);
    if (rc == 0)
        return pg_script(pg, "RELEASE SAVEPOINT staged");
    if (rc != ERR_INVALID)
        return rc;
    char detail[512];
    snprintf(detail, sizeof detail, "%s: %s", pg_sqlstate(pg), pg_message(pg));
    rc = pg_script(pg, "ROLLBACK TO SAVEPOINT staged");
    if (rc == 0)
        rc = pg_script(pg, "RELEASE SAVEPOINT staged");
    if (rc != 0)
        return rc;
    if (*to - from == 1) {
        rc = refuse(batch, &batch->row[from], REASON_UNSTORABLE, detail);
        remove_row(batch, from);
        (*to)--;
        return rc;
    }
    size_t middle = from + (*to - from) / 2, left = middle;
    rc = stage(pg, batch, from, &left);
    size_t rest = *to - (middle - left);
    if (rc == 0)
        rc = stage(pg, batch, left, &rest);
    *to = rest;
    return rc;
}

/* The unique row that an answer (topic, partition, offset) speaks of. Answers come in the rows' own
 * order, so each search goes on where the last one ended. */
static size_t find_row(const struct batch *batch, size_t from, const struct pg_result *rows, int i)
{
    for (size_t r = from; r < batch->unique_count; r++) {
        const struct batch_row *row = &batch->row[r];
        if (row->offset == pg_int(rows, i, 2) && row->partition->partition == pg_int(rows, i, 1) &&
            strcmp(row->partition->topic, pg_text(rows, i, 0)) == 0)
            return r;
    }
    return batch->unique_count;
}

/* Rows that were not put in, because one of that key is there: same event, a duplicate; another
 * event, to quarantine. Answers: topic, partition, offset, same event. */
static int judge_duplicates(struct batch *batch, const struct pg_result *rows, size_t unput)
{
    if ((size_t)pg_rows(rows) != unput) {
        log_error("Rows that stood in the way are gone again: the batch is read anew",
                  LOG_INT("unput", unput), LOG_INT("judged", pg_rows(rows)));
        return ERR_IO;
    }
    size_t at = 0;
    for (int i = 0; i < pg_rows(rows); i++) {
        at = find_row(batch, at, rows, i);
        if (at == batch->unique_count) {
            log_error("The database speaks of a row that is not in the batch");
            return ERR_IO;
        }
        struct batch_row *row = &batch->row[at];
        row->partition->books.on_timeline--;
        if (strcmp(pg_text(rows, i, 3), "t") == 0) {
            row->partition->books.duplicates++;
            at++;
            continue;
        }
        int rc = refuse(batch, row, REASON_UID_COLLISION,
                        "another event of the same moment has the same event_uid");
        if (rc != 0)
            return rc;
        row->partition->books.quarantined++;
        remove_row(batch, at);
    }
    return 0;
}

int events_copy_carefully(struct pg *pg, struct batch *batch)
{
    int rc = pg_script(pg, SQL_EVENTS_STAGING);
    size_t to = batch->unique_count;
    if (rc == 0)
        rc = stage(pg, batch, 0, &to);
    count_books(batch);
    struct pg_result *put = NULL, *judged = NULL;
    if (rc == 0)
        rc = pg_query(pg, SQL_EVENTS_PUT_STAGED, NULL, 0, &put);
    size_t unput = rc == 0 ? batch->unique_count - (size_t)pg_affected(put) : 0;
    if (unput > 0) {
        rc = pg_query(pg, SQL_EVENTS_JUDGE_STAGED, NULL, 0, &judged);
        if (rc == 0)
            rc = judge_duplicates(batch, judged, unput);
    }
    pg_result_free(put);
    pg_result_free(judged);
    return rc;
}
