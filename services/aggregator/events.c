#include "services/aggregator/events.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "sql.h"

#define PIECE  ((size_t)64 * 1024) /* of COPY, assembled and sent at once */
#define FIELDS 16                  /* columns of SQL_EVENTS_COPY */

#define IDS_LIMIT ((size_t)64 * 1024 * 1024)

static int by_key(const void *a, const void *b)
{
    const struct batch_row *x = a, *y = b;
    if (x->occurred_at != y->occurred_at)
        return x->occurred_at < y->occurred_at ? -1 : 1;
    int order = memcmp(x->uid.bytes, y->uid.bytes, sizeof x->uid.bytes);
    if (order != 0)
        return order;
    /* Of a repeated event, the record that came first stays, whatever order qsort meets them in. */
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
        batch->refused_reason = reason;
        batch->refused = arena_strdup(&batch->arena, span_of(detail));
        return batch->refused ? ERR_NOT_FOUND : ERR_MEMORY;
    }
    struct kafka_message message;
    kafka_message_view(row->message, &message);
    log_warn("A record goes to quarantine", LOG_TEXT("reason", reason),
             LOG_TEXT("topic", row->partition->topic),
             LOG_INT("partition", row->partition->partition), LOG_INT("offset", row->offset));
    batch->refused_count++;
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

/* Moves the unique rows that are marked behind the others, which keep their order. */
static int set_aside(struct batch *batch)
{
    struct batch_row *marked = malloc((batch->unique_count + 1) * sizeof *marked);
    if (!marked) {
        log_error("No memory for the rows of a batch");
        return ERR_MEMORY;
    }
    size_t unique = 0, count = 0;
    for (size_t i = 0; i < batch->unique_count; i++)
        if (batch->row[i].aside)
            marked[count++] = batch->row[i];
        else
            batch->row[unique++] = batch->row[i];
    memcpy(&batch->row[unique], marked, count * sizeof *marked);
    batch->unique_count = unique;
    free(marked);
    return 0;
}

int events_refuse(struct batch *batch, size_t i, const char *reason, const char *detail)
{
    int rc = refuse(batch, &batch->row[i], reason, detail);
    if (rc == 0)
        remove_row(batch, i);
    return rc;
}

static int collide(struct batch *batch, size_t i)
{
    return events_refuse(batch, i, REASON_UID_COLLISION,
                         "another event of the same moment has the same event_uid");
}

/* Marks the rows that repeat one before them. */
static int mark_repeated(struct batch *batch)
{
    size_t first = 0; /* of those with the same key */
    for (size_t i = 0; i < batch->unique_count; i++) {
        batch->row[i].aside = i > 0 && same_key(&batch->row[first], &batch->row[i]);
        if (!batch->row[i].aside) {
            first = i;
        } else if (!same_event(batch, &batch->row[first], &batch->row[i])) {
            int rc = collide(batch, i);
            if (rc != 0)
                return rc;
            i--; /* the next one has moved up */
        }
    }
    return 0;
}

static void clear_books(struct batch *batch)
{
    for (size_t i = 0; i < batch->row_count; i++) {
        struct books *books = &batch->row[i].partition->books;
        books->on_timeline = books->duplicates = 0;
    }
    for (size_t i = 0; i < batch->quarantine_count; i++) {
        struct books *books = &batch->quarantine[i].partition->books;
        books->on_timeline = books->duplicates = books->quarantined = 0;
    }
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
    batch->unique_count = batch->row_count;
    batch->overtaken = false;
    if (batch->row_count > 0) { /* without any there need not be an array, either */
        qsort(batch->row, batch->row_count, sizeof *batch->row, by_key);
        rc = mark_repeated(batch);
        if (rc == 0)
            rc = set_aside(batch);
    }
    if (rc != 0)
        return rc;
    batch_tie(batch, batch->unique_count);
    count_books(batch);
    return 0;
}

/* An identity as a row has it: its id, or, where that is not known yet, its place in the batch. */
static void append_identity(struct buffer *piece, const struct batch *batch, uint32_t identity,
                            bool places)
{
    if (identity == BATCH_NONE)
        pg_field_null(piece);
    else
        pg_field_int64(piece, places ? identity : batch->identity[identity].identity_id);
}

/* One COPY of the rows from..to into the table that `sql` names. */
static int copy_range(struct pg *pg, const struct batch *batch, const char *sql, bool places,
                      size_t from, size_t to)
{
    struct buffer piece;
    buffer_init(&piece, PIECE + batch->rows.len);
    int rc = pg_copy_begin(pg, sql);
    if (rc != 0)
        return rc;
    for (size_t i = from; i < to && !piece.failed; i++) {
        const struct batch_row *row = &batch->row[i];
        buffer_append_be16(&piece, FIELDS);
        append_identity(&piece, batch, row->identity, places);
        append_identity(&piece, batch, row->account, places);
        buffer_append(&piece, batch->rows.data + row->start, row->len);
        if (piece.len >= PIECE && !piece.failed) {
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
    return copy_range(pg, batch, SQL_EVENTS_COPY, false, 0, batch->unique_count);
}

/* Stages the rows from..*to, halving around those that PostgreSQL refuses, which go to quarantine;
 * *to comes down by as many. */
static int stage(struct pg *pg, struct batch *batch, size_t from, size_t *to)
{
    if (from == *to)
        return 0;
    int rc = pg_script(pg, "SAVEPOINT staged");
    if (rc == 0)
        rc = copy_range(pg, batch, SQL_EVENTS_STAGE, true, from, *to);
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

/* Staged rows whose key is on the timeline already: the same event, a duplicate; another event, to
 * quarantine. Answers: topic, partition, offset, same event. */
static int judge_staged(struct batch *batch, const struct pg_result *rows)
{
    size_t at = 0;
    for (int i = 0; i < pg_rows(rows); i++) {
        at = find_row(batch, at, rows, i);
        if (at == batch->unique_count) {
            log_error("The database speaks of a row that is not in the batch");
            return ERR_IO;
        }
        if (strcmp(pg_text(rows, i, 3), "t") == 0) {
            batch->row[at++].aside = true;
            continue;
        }
        int rc = collide(batch, at);
        if (rc != 0)
            return rc;
    }
    return set_aside(batch);
}

int events_stage(struct pg *pg, struct batch *batch)
{
    int rc = pg_script(pg, SQL_EVENTS_STAGING);
    size_t to = batch->unique_count;
    if (rc == 0)
        rc = stage(pg, batch, 0, &to);
    struct pg_result *there = NULL;
    if (rc == 0 && batch->unique_count > 0)
        rc = pg_query(pg, SQL_EVENTS_STAGED_THERE, NULL, 0, &there);
    if (there)
        rc = judge_staged(batch, there);
    pg_result_free(there);
    if (rc != 0)
        return rc;
    batch_tie(batch, batch->unique_count);
    count_books(batch);
    return 0;
}

static int put_staged(struct pg *pg, const struct batch *batch, size_t *count)
{
    struct buffer ids;
    struct pg_result *put;
    int rc = ERR_MEMORY;
    buffer_init(&ids, IDS_LIMIT);
    for (size_t i = 0; i < batch->identity_count; i++)
        pg_array_int(&ids, batch->identity[i].identity_id);
    pg_array_end(&ids);
    if (ids.failed)
        log_error("No memory for the identities of a batch");
    else
        rc = pg_query(pg, SQL_EVENTS_PUT_STAGED, (const char *const[]){ids.data}, 1, &put);
    buffer_free(&ids);
    if (rc != 0)
        return rc;
    *count = (size_t)pg_affected(put);
    pg_result_free(put);
    return 0;
}

int events_put_staged(struct pg *pg, struct batch *batch)
{
    size_t count = 0;
    int rc = batch->unique_count > 0 ? put_staged(pg, batch, &count) : 0;
    if (rc != 0 || count == batch->unique_count)
        return rc;
    log_info("An event of the batch was put on the timeline meanwhile: the batch is tried again",
             LOG_INT("rows", batch->unique_count), LOG_INT("put", count));
    batch->overtaken = true;
    return ERR_BUSY;
}
