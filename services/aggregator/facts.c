#include "services/aggregator/facts.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/event/event_text.h"
#include "common/json/json_pointer.h"
#include "sql.h"

#define LINE_LIMIT                                                                                 \
    ((size_t)64 * 1024 * 1024) /* for a summary while it is cut: more than a record has */

#define ARENA_LIMIT ((size_t)64 * 1024 * 1024) /* roles and regions of a batch */

enum { OWNER_COLUMNS = 8, ISSUE_COLUMNS = 7, PROMISE_COLUMNS = 5 };

struct facts_naming {
    int64_t identity;
    struct span department, role, region, owner;
    const struct batch_row *row;
};

bool facts_wanted(const struct event_facts *facts)
{
    return facts->owner.ptr || (facts->facts.ptr && facts->facts.len > 0);
}

void facts_init(struct facts *facts)
{
    columns_init(&facts->owners);
    columns_init(&facts->issues);
    columns_init(&facts->promises);
    facts->naming = NULL;
    facts->naming_count = 0;
    arena_init(&facts->arena, ARENA_LIMIT);
}

void facts_free(struct facts *facts)
{
    columns_free(&facts->owners);
    columns_free(&facts->issues);
    columns_free(&facts->promises);
    free(facts->naming);
    arena_free(&facts->arena);
}

/* One row being looked at. */
struct said {
    int64_t identity;
    const struct batch_row *row;
    const struct batch_note *note;
};

static struct span text_of(json_t *string)
{
    return json_is_string(string)
               ? (struct span){json_string_value(string), json_string_length(string)}
               : (struct span){NULL, 0};
}

/* Empty where it is absent, or no part of an owner. */
static int part_of(struct arena *arena, json_t *owner, const char *name, struct span *part)
{
    *part = text_of(json_object_get(owner, name));
    if (part->len == 0 || part->len > EVENT_ROLE_LIMIT) {
        *part = span_of("");
        return 0;
    }
    *part = arena_copy(arena, *part);
    return part->ptr ? 0 : ERR_MEMORY;
}

static int add_naming(struct facts *facts, const struct said *said, json_t *owner)
{
    struct facts_naming *naming = &facts->naming[facts->naming_count++];
    *naming = (struct facts_naming){.identity = said->identity,
                                    .department = span_of(said->note->department),
                                    .owner = said->note->owner,
                                    .row = said->row};
    int rc = part_of(&facts->arena, owner, "role", &naming->role);
    return rc ? rc : part_of(&facts->arena, owner, "region", &naming->region);
}

static int by_key(const struct facts_naming *a, const struct facts_naming *b)
{
    if (a->identity != b->identity)
        return a->identity < b->identity ? -1 : 1;
    int order = span_compare(a->department, b->department);
    if (order == 0)
        order = span_compare(a->role, b->role);
    return order ? order : span_compare(a->region, b->region);
}

static int by_key_and_time(const void *a, const void *b)
{
    const struct facts_naming *x = a, *y = b;
    int order = by_key(x, y);
    if (order != 0)
        return order;
    if (x->row->occurred_at != y->row->occurred_at)
        return x->row->occurred_at < y->row->occurred_at ? -1 : 1;
    return memcmp(x->row->uid.bytes, y->row->uid.bytes, sizeof x->row->uid.bytes);
}

/* `last` names the owner who has been named since `first` of the batch. */
static void add_owner(struct columns *owners, const struct facts_naming *first,
                      const struct facts_naming *last)
{
    struct buffer *c = owners->column;
    pg_array_int(&c[0], last->identity);
    pg_array_text(&c[1], last->department);
    pg_array_text(&c[2], last->role);
    pg_array_text(&c[3], last->region);
    pg_array_text(&c[4], last->owner);
    pg_array_int(&c[5], first->row->occurred_at);
    pg_array_int(&c[6], last->row->occurred_at);
    column_uuid(&c[7], &last->row->uid);
    owners->rows++;
}

/* The first naming, up to `last`, of whom `last` names, nobody else having been named in between.
 */
static const struct facts_naming *run_begins(const struct facts *facts,
                                             const struct facts_naming *last)
{
    const struct facts_naming *first = last;
    while (first > facts->naming && by_key(first - 1, last) == 0 &&
           span_equal(first[-1].owner, last->owner))
        first--;
    return first;
}

static void fold_owners(struct facts *facts)
{
    const struct facts_naming *end = facts->naming + facts->naming_count;
    if (facts->naming_count > 1)
        qsort(facts->naming, facts->naming_count, sizeof *facts->naming, by_key_and_time);
    for (const struct facts_naming *last = facts->naming; last < end; last++) {
        if (last + 1 < end && by_key(last, last + 1) == 0)
            continue;
        add_owner(&facts->owners, run_begins(facts, last), last);
    }
}

/* One line; ptr NULL where there is none. */
static int line_of(struct arena *arena, json_t *string, struct span *line)
{
    *line = text_of(string);
    if (!line->ptr)
        return 0;
    *line = event_text_line(arena, *line, EVENT_SUMMARY_LIMIT);
    if (!line->ptr)
        return ERR_MEMORY;
    if (line->len == 0)
        line->ptr = NULL;
    return 0;
}

static int add_issue(struct columns *issues, const struct said *said, json_t *issue)
{
    struct buffer *c = issues->column;
    struct span id = text_of(json_object_get(issue, "id")), summary;
    struct arena arena;
    if (id.len == 0 || id.len > EVENT_ISSUE_LIMIT)
        return 0;
    arena_init(&arena, LINE_LIMIT);
    int rc = line_of(&arena, json_object_get(issue, "summary"), &summary);
    if (rc == 0) {
        pg_array_int(&c[0], said->identity);
        pg_array_text(&c[1], id);
        pg_array_text(&c[2], span_of(said->note->department));
        pg_array_text(&c[3], summary);
        pg_array_int(&c[4], said->row->occurred_at);
        column_flag(&c[5], json_is_true(json_object_get(issue, "told")));
        column_flag(&c[6], json_is_true(json_object_get(issue, "closed")));
        issues->rows++;
    }
    arena_free(&arena);
    return rc;
}

static void add_promises(struct columns *promises, const struct said *said, json_t *list, bool kept)
{
    struct buffer *c = promises->column;
    for (size_t i = 0; i < json_array_size(list) && i < EVENT_PROMISES; i++) {
        struct span text = text_of(json_array_get(list, i));
        if (text.len == 0 || text.len > EVENT_PROMISE_LIMIT)
            continue;
        pg_array_int(&c[0], said->identity);
        pg_array_text(&c[1], text);
        pg_array_text(&c[2], span_of(said->note->department));
        pg_array_int(&c[3], said->row->occurred_at);
        column_flag(&c[4], kept);
        promises->rows++;
    }
}

/* Data is opened only where the facts say that something in it is to be folded. */
static int collect_row(struct facts *facts, const struct batch *batch, const struct batch_row *row)
{
    const struct batch_note *note = &batch->note[row->note];
    json_t *data = NULL;
    if (!note->owner.ptr && note->facts.len == 0)
        return 0;
    const struct said said = {batch->identity[row->identity].identity_id, row, note};
    int rc = 0;
    if (note->facts.len > 0 && note->data_len > 0)
        rc = json_read(batch_note_data(batch, note), &data, NULL, NULL);
    if (rc != 0 && rc != ERR_INVALID)
        return rc;
    rc = note->owner.ptr ? add_naming(facts, &said, json_object_get(data, "owner")) : 0;
    if (rc == 0)
        rc = add_issue(&facts->issues, &said, json_object_get(data, "issue"));
    add_promises(&facts->promises, &said, json_object_get(data, "promises"), false);
    add_promises(&facts->promises, &said, json_object_get(data, "kept"), true);
    json_decref(data);
    return rc;
}

int facts_collect(struct facts *facts, const struct batch *batch)
{
    int rc = 0;
    facts->naming = malloc((batch->unique_count + 1) * sizeof *facts->naming);
    if (!facts->naming) {
        log_error("No memory for the owners of a batch");
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < batch->unique_count && rc == 0; i++)
        if (batch->row[i].note != BATCH_NONE)
            rc = collect_row(facts, batch, &batch->row[i]);
    if (rc == 0)
        fold_owners(facts);
    return rc;
}

static int put_table(struct pg *pg, struct columns *columns, const char *sql, int count)
{
    return columns->rows > 0 ? columns_put(pg, columns, sql, count, NULL) : 0;
}

int facts_put(struct pg *pg, const struct batch *batch)
{
    struct facts facts;
    if (batch->note_count == 0)
        return 0;
    facts_init(&facts);
    int rc = facts_collect(&facts, batch);
    if (rc == 0)
        rc = put_table(pg, &facts.owners, SQL_FACTS_PUT_OWNERS, OWNER_COLUMNS);
    if (rc == 0)
        rc = put_table(pg, &facts.issues, SQL_FACTS_PUT_ISSUES, ISSUE_COLUMNS);
    if (rc == 0)
        rc = put_table(pg, &facts.promises, SQL_FACTS_PUT_PROMISES, PROMISE_COLUMNS);
    facts_free(&facts);
    return rc;
}
