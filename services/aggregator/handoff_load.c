#include <stdlib.h>

#include "common/base/log.h"
#include "common/json/json_pointer.h"
#include "services/aggregator/columns.h"
#include "services/aggregator/handoff_work.h"
#include "sql.h"

static int no_memory(void)
{
    log_error("No memory for the handoffs of a batch");
    return ERR_MEMORY;
}

static bool copy(struct handoff_work *work, const struct pg_result *rows, int row, int column,
                 struct span *text)
{
    *text = (struct span){NULL, 0};
    if (pg_is_null(rows, row, column))
        return true;
    *text = arena_copy(&work->arena, pg_span(rows, row, column));
    return text->ptr != NULL;
}

static bool flag(const struct pg_result *rows, int row, int column)
{
    return strcmp(pg_text(rows, row, column), "t") == 0;
}

/* The columns of SQL_HANDOFFS_LOAD, in their order. */
static int take(struct handoff_work *work, const struct pg_result *rows, int row,
                struct handoff *handoff)
{
    *handoff = (struct handoff){
        .identity_id = pg_int(rows, row, 2),
        .customer_id = pg_int(rows, row, 3),
        .overdue = flag(rows, row, 7),
        .undeliverable = flag(rows, row, 8),
        .occurred_at = pg_int(rows, row, 9),
        .due_at = pg_int(rows, row, 10),
        .delivered_at = pg_int(rows, row, 11),
        .accepted_at = pg_int(rows, row, 12),
        .closed_at = pg_int(rows, row, 13),
        .due_ms = pg_int(rows, row, 20),
        .sequence = pg_int(rows, row, 21),
        .opened_sequence = pg_int(rows, row, 22),
        .depth = pg_int(rows, row, 23),
        .told = flag(rows, row, 24),
    };
    if (event_uid_parse(pg_span(rows, row, 0), &handoff->id) != 0 ||
        !handoff_state_named(pg_span(rows, row, 6), &handoff->state) ||
        (!pg_is_null(rows, row, 18) &&
         event_uid_parse(pg_span(rows, row, 18), &handoff->closing_uid) != 0)) {
        log_error("A handoff in the database is none", LOG_TEXT("handoff", pg_text(rows, row, 0)));
        return ERR_IO;
    }
    bool copied = copy(work, rows, row, 1, &handoff->rule) &&
                  copy(work, rows, row, 4, &handoff->from) &&
                  copy(work, rows, row, 5, &handoff->to) &&
                  copy(work, rows, row, 14, &handoff->accepted_by) &&
                  copy(work, rows, row, 15, &handoff->closed_by) &&
                  copy(work, rows, row, 16, &handoff->note) &&
                  copy(work, rows, row, 17, &handoff->closing_event_id) &&
                  copy(work, rows, row, 25, &handoff->trace);
    return copied ? handoff_work_data(work, pg_span(rows, row, 19), &handoff->match) : no_memory();
}

static int take_all(struct handoff_work *work, const struct pg_result *rows)
{
    size_t count = (size_t)pg_rows(rows);
    work->handoff = calloc(count + 1, sizeof *work->handoff);
    work->before = calloc(count + 1, sizeof *work->before);
    if (!work->handoff || !work->before)
        return no_memory();
    for (size_t i = 0; i < count; i++) {
        int rc = take(work, rows, (int)i, &work->handoff[i]);
        if (rc != 0)
            return rc;
        work->before[i] = work->handoff[i];
        work->count = i + 1;
    }
    return 0;
}

static int load(struct handoff_work *work, struct columns *question, const char *sql, int columns)
{
    struct pg_result *rows;
    int rc = columns_put(work->pg, question, sql, columns, &rows);
    if (rc != 0)
        return rc;
    rc = take_all(work, rows);
    pg_result_free(rows);
    return rc;
}

/* The handoffs that requests name. */
static void list_asked(const struct batch *batch, struct columns *question)
{
    for (size_t i = 0; i < batch->unique_count; i++) {
        uint32_t note = batch->row[i].note;
        if (note == BATCH_NONE || !batch->note[note].asked)
            continue;
        column_uuid(&question->column[1], &batch->note[note].asked->handoff);
        question->rows++;
    }
}

/* The answer is sorted by identity. 0: not there. */
static int64_t find_customer(const struct pg_result *rows, int64_t identity)
{
    int low = 0, high = pg_rows(rows);
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (pg_int(rows, middle, 0) < identity)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < pg_rows(rows) && pg_int(rows, low, 0) == identity;
    return found ? pg_int(rows, low, 1) : 0;
}

static void list_identities(const struct handoff_work *work, struct buffer *column)
{
    for (size_t i = 0; i < work->closing_count; i++) {
        const struct handoff_closing *closing = &work->closing[i];
        if (i > 0 && closing->row == closing[-1].row)
            continue; /* the same event for another rule */
        pg_array_int(column, closing->identity_id);
        if (closing->account_identity_id)
            pg_array_int(column, closing->account_identity_id);
    }
}

/* Whose the closing events are, the database says: what a writer remembers of it may be older than
 * a merge by another. Those of customers without handoffs stay without. */
static int find_customers(struct handoff_work *work)
{
    struct columns question;
    struct pg_result *rows;
    if (work->count == 0 || work->closing_count == 0)
        return 0;
    columns_init(&question);
    list_identities(work, &question.column[0]);
    for (size_t i = 0; i < work->count; i++)
        pg_array_int(&question.column[1], work->handoff[i].customer_id);
    int rc = columns_put(work->pg, &question, SQL_HANDOFFS_CUSTOMERS, 2, &rows);
    columns_free(&question);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < work->closing_count; i++) {
        struct handoff_closing *closing = &work->closing[i];
        closing->customer_id = find_customer(rows, closing->identity_id);
        if (closing->account_identity_id)
            closing->account_customer_id = find_customer(rows, closing->account_identity_id);
    }
    pg_result_free(rows);
    return 0;
}

/* Rules that some closing event is for, each once. */
static void list_rules(const struct handoff_work *work, struct buffer *column)
{
    for (size_t r = 0; work->rules && r < work->rules->count; r++) {
        const struct handoff_rule *rule = &work->rules->rules[r];
        bool wanted = false;
        for (size_t i = 0; i < work->closing_count && !wanted; i++)
            wanted = work->closing[i].rule == rule;
        if (wanted)
            pg_array_text(column, span_of(rule->name));
    }
}

int handoff_load(struct handoff_work *work)
{
    struct columns question;
    columns_init(&question);
    question.rows = work->closing_count;
    list_identities(work, &question.column[0]);
    list_asked(work->batch, &question);
    list_rules(work, &question.column[2]);
    int rc = question.rows > 0 ? load(work, &question, SQL_HANDOFFS_LOAD, 3) : 0;
    columns_free(&question);
    return rc ? rc : find_customers(work);
}

static void append_types(struct buffer *types, const struct handoff_rule *rule)
{
    struct buffer list;
    buffer_init(&list, HANDOFF_ARRAY_LIMIT);
    for (size_t i = 0; i < rule->done_when_count; i++)
        buffer_printf(&list, "%s%s", list.len ? "," : "", rule->done_when[i]);
    for (size_t i = 0; i < rule->cancel_when_count; i++)
        buffer_printf(&list, "%s%s", list.len ? "," : "", rule->cancel_when[i]);
    types->failed = types->failed || list.failed;
    pg_array_text(types, buffer_span(&list));
    buffer_free(&list);
}

static int take_closing(struct handoff_work *work, const struct pg_result *rows, int row)
{
    const struct handoff_rule *rule = handoff_rule_named(work->rules, pg_span(rows, row, 1));
    struct handoff_closing closing = {.customer_id = pg_int(rows, row, 0),
                                      .occurred_at = pg_int(rows, row, 2),
                                      .rule = rule,
                                      .use = HANDOFF_CANCELS};
    if (!rule || event_uid_parse(pg_span(rows, row, 3), &closing.uid) != 0)
        return ERR_IO;
    for (size_t i = 0; i < rule->done_when_count; i++)
        if (span_is(pg_span(rows, row, 5), rule->done_when[i]))
            closing.use = HANDOFF_DONE;
    int rc = handoff_work_grow(&work->closing, work->closing_count, &work->closing_capacity,
                               sizeof *work->closing);
    if (rc == 0 && !copy(work, rows, row, 4, &closing.event_id))
        rc = no_memory();
    if (rc == 0)
        rc = handoff_work_data(work, pg_span(rows, row, 6), &closing.data);
    if (rc == 0)
        work->closing[work->closing_count++] = closing;
    return rc;
}

int handoff_load_closings(struct handoff_work *work, const struct buffer *ids)
{
    struct columns rules;
    struct pg_result *rows;
    const char *params[4] = {ids->data};
    columns_init(&rules);
    for (size_t i = 0; work->rules && i < work->rules->count; i++) {
        const struct handoff_rule *rule = &work->rules->rules[i];
        pg_array_text(&rules.column[0], span_of(rule->name));
        append_types(&rules.column[1], rule);
        column_flag(&rules.column[2], rule->match_count > 0);
    }
    int rc = columns_params(&rules, 3, &params[1]);
    if (rc == 0)
        rc = pg_query_prepared(work->pg, SQL_HANDOFFS_CLOSINGS, params, 4, &rows);
    columns_free(&rules);
    if (rc != 0)
        return rc;
    for (int i = 0; i < pg_rows(rows) && rc == 0; i++)
        rc = take_closing(work, rows, i);
    pg_result_free(rows);
    return rc;
}

int handoff_load_unconfirmed(struct handoff_work *work, const struct buffer *ids,
                             const char *snapshot)
{
    struct pg_result *rows;
    int rc = pg_query_prepared(work->pg, SQL_HANDOFFS_CONFIRM_LOAD,
                               (const char *const[]){ids->data, snapshot}, 2, &rows);
    if (rc != 0)
        return rc;
    rc = take_all(work, rows);
    pg_result_free(rows);
    return rc;
}
