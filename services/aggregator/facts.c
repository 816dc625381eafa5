#include "services/aggregator/facts.h"

#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/json/json_pointer.h"
#include "sql.h"

#define ARRAY_LIMIT   ((size_t)64 * 1024 * 1024)
#define COLUMNS_LIMIT 8
#define PROMISE_LIMIT 1000 /* characters; more would not go into the table's key */

bool facts_wanted(const struct event_facts *facts)
{
    return facts->owner.ptr || (facts->facts.ptr && facts->facts.len > 0);
}

/* The parameters of one statement: an array a column. */
struct table {
    struct buffer column[COLUMNS_LIMIT];
    size_t rows;
};

struct tables {
    struct table owners, issues, promises;
};

static void table_init(struct table *table)
{
    table->rows = 0;
    for (size_t i = 0; i < COLUMNS_LIMIT; i++)
        buffer_init(&table->column[i], ARRAY_LIMIT);
}

static void table_free(struct table *table)
{
    for (size_t i = 0; i < COLUMNS_LIMIT; i++)
        buffer_free(&table->column[i]);
}

static int table_put(struct pg *pg, struct table *table, const char *sql, int columns)
{
    const char *params[COLUMNS_LIMIT];
    if (table->rows == 0)
        return 0;
    for (int i = 0; i < columns; i++) {
        pg_array_end(&table->column[i]);
        if (table->column[i].failed) {
            log_error("No memory for the facts of a batch");
            return ERR_MEMORY;
        }
        params[i] = table->column[i].data;
    }
    return pg_query_prepared(pg, sql, params, columns, NULL);
}

static struct span text_of(json_t *string)
{
    return json_is_string(string)
               ? (struct span){json_string_value(string), json_string_length(string)}
               : (struct span){NULL, 0};
}

static void append_uid(struct buffer *column, const struct event_uid *uid)
{
    struct buffer text;
    buffer_init(&text, 64);
    hex_append(&text, (struct span){(const char *)uid->bytes, sizeof uid->bytes});
    pg_array_text(column, buffer_span(&text));
    buffer_free(&text);
}

static void append_flag(struct buffer *column, bool flag)
{
    pg_array_text(column, span_of(flag ? "true" : "false"));
}

static void add_owner(struct table *owners, int64_t identity, const struct batch_row *row,
                      const struct batch_note *note, json_t *owner)
{
    struct span role = text_of(json_object_get(owner, "role"));
    struct span region = text_of(json_object_get(owner, "region"));
    pg_array_int(&owners->column[0], identity);
    pg_array_text(&owners->column[1], span_of(note->department));
    pg_array_text(&owners->column[2], role.ptr ? role : span_of(""));
    pg_array_text(&owners->column[3], region.ptr ? region : span_of(""));
    pg_array_text(&owners->column[4], note->owner);
    pg_array_int(&owners->column[5], row->occurred_at);
    append_uid(&owners->column[6], &row->uid);
    owners->rows++;
}

static void add_issue(struct table *issues, int64_t identity, const struct batch_row *row,
                      const struct batch_note *note, json_t *issue)
{
    struct span id = text_of(json_object_get(issue, "id"));
    if (!id.ptr)
        return;
    pg_array_int(&issues->column[0], identity);
    pg_array_text(&issues->column[1], id);
    pg_array_text(&issues->column[2], span_of(note->department));
    pg_array_text(&issues->column[3], text_of(json_object_get(issue, "summary")));
    pg_array_int(&issues->column[4], row->occurred_at);
    append_flag(&issues->column[5], json_is_true(json_object_get(issue, "told")));
    append_flag(&issues->column[6], json_is_true(json_object_get(issue, "closed")));
    issues->rows++;
}

static void add_promises(struct table *promises, int64_t identity, const struct batch_row *row,
                         const struct batch_note *note, json_t *list, bool kept)
{
    size_t i;
    json_t *promise;
    json_array_foreach(list, i, promise)
    {
        struct span text = text_of(promise);
        if (!text.ptr || text.len > PROMISE_LIMIT)
            continue;
        pg_array_int(&promises->column[0], identity);
        pg_array_text(&promises->column[1], text);
        pg_array_text(&promises->column[2], span_of(note->department));
        pg_array_int(&promises->column[3], row->occurred_at);
        append_flag(&promises->column[4], kept);
        promises->rows++;
    }
}

/* Data is opened only where the facts say that something in it is to be folded. */
static int add_row(struct tables *tables, const struct batch *batch, const struct batch_row *row)
{
    const struct batch_note *note = &batch->note[row->note];
    int64_t identity = batch->identity[row->identity].identity_id;
    json_t *data = NULL;
    if (note->facts.len > 0 && note->data_len > 0) {
        int rc = json_read(batch_note_data(batch, note), &data, NULL, NULL);
        if (rc != 0 && rc != ERR_INVALID)
            return rc;
    }
    if (note->owner.ptr)
        add_owner(&tables->owners, identity, row, note, json_object_get(data, "owner"));
    add_issue(&tables->issues, identity, row, note, json_object_get(data, "issue"));
    add_promises(&tables->promises, identity, row, note, json_object_get(data, "promises"), false);
    add_promises(&tables->promises, identity, row, note, json_object_get(data, "kept"), true);
    json_decref(data);
    return 0;
}

static int put_tables(struct pg *pg, struct tables *tables)
{
    int rc = table_put(pg, &tables->owners, SQL_FACTS_PUT_OWNERS, 7);
    if (rc == 0)
        rc = table_put(pg, &tables->issues, SQL_FACTS_PUT_ISSUES, 7);
    return rc == 0 ? table_put(pg, &tables->promises, SQL_FACTS_PUT_PROMISES, 5) : rc;
}

int facts_put(struct pg *pg, const struct batch *batch)
{
    struct tables tables;
    if (batch->note_count == 0)
        return 0;
    table_init(&tables.owners);
    table_init(&tables.issues);
    table_init(&tables.promises);
    int rc = 0;
    for (size_t i = 0; i < batch->unique_count && rc == 0; i++)
        if (batch->row[i].note != BATCH_NONE)
            rc = add_row(&tables, batch, &batch->row[i]);
    if (rc == 0)
        rc = put_tables(pg, &tables);
    table_free(&tables.owners);
    table_free(&tables.issues);
    table_free(&tables.promises);
    return rc;
}
