#include <stdlib.h>

#include "common/event/event_time.h"
#include "common/event/system_events.h"
#include "common/json/json_scan.h"
#include "services/aggregator/columns.h"
#include "services/aggregator/handoff_metrics.h"
#include "services/aggregator/handoff_work.h"
#include "sql.h"

static void put_closing_uid(struct buffer *column, const struct handoff *handoff)
{
    if (handoff->closing_event_id.ptr)
        column_uuid(column, &handoff->closing_uid);
    else
        pg_array_null(column);
}

static void put_match(struct buffer *column, const struct handoff_rule *rule, json_t *data)
{
    json_t *values = handoff_match_values(rule, data);
    char *text = values ? json_dumps(values, JSON_COMPACT) : NULL;
    if (!text)
        column->failed = true;
    pg_array_text(column, span_of(text));
    free(text);
    json_decref(values);
}

/* The members of data that the rule wants the receiver to see, byte for byte. */
static void append_fields(struct buffer *opening, const struct handoff_rule *rule, struct span data)
{
    bool any = false;
    for (size_t i = 0; i < rule->brief_count; i++) {
        struct span value;
        if (data.len == 0 || json_scan_pointer(data, rule->brief[i], &value) != 0)
            continue;
        buffer_append_text(opening, any ? "," : "");
        buffer_append_json_string(opening, span_of(rule->brief[i]));
        buffer_append_char(opening, ':');
        buffer_append_span(opening, value);
        any = true;
    }
}

/* What store.briefs wants to know of the opening. */
static void put_opening(struct buffer *column, const struct handoff_work *work,
                        const struct event_uid *handoff, const struct handoff_opening *opening)
{
    struct buffer text;
    struct span source, event_id;
    char id[EVENT_UID_TEXT], time[EVENT_TIME_TEXT];
    event_uid_text(handoff, id);
    event_time_format(opening->row->occurred_at, time);
    batch_row_key(work->batch, opening->row, &source, &event_id);
    buffer_init(&text, HANDOFF_ARRAY_LIMIT);
    buffer_printf(&text, "{\"handoff\":\"%s\",\"event\":{\"source\":", id);
    buffer_append_json_string(&text, source);
    buffer_append_text(&text, ",\"id\":");
    buffer_append_json_string(&text, event_id);
    buffer_append_text(&text, ",\"type\":");
    buffer_append_json_string(&text, opening->note->type);
    buffer_printf(&text, ",\"time\":\"%s\",\"department\":\"%s\"},\"fields\":{", time,
                  opening->note->department);
    append_fields(&text, opening->rule, batch_note_data(work->batch, opening->note));
    buffer_append_text(&text, "}}");
    column->failed = column->failed || text.failed;
    pg_array_text(column, buffer_span(&text));
    buffer_free(&text);
}

/* A hash of the rule and the opening event: it cannot open twice. */
static struct event_uid id_of(const struct handoff_work *work,
                              const struct handoff_opening *opening)
{
    struct span parts[3] = {span_of(opening->rule->name)};
    batch_row_key(work->batch, opening->row, &parts[1], &parts[2]);
    return event_uid_of_parts(parts, 3);
}

static void add_new(struct columns *columns, const struct handoff_work *work,
                    const struct handoff_opening *opening)
{
    struct buffer *c = columns->column;
    const struct batch_row *row = opening->row;
    const struct handoff_rule *rule = opening->rule;
    const struct batch_identity *identity = &work->batch->identity[row->identity];
    struct event_uid id = id_of(work, opening);
    bool system = strcmp(opening->note->department, SYSTEM_NAME) == 0;
    column_uuid(&c[0], &id);
    pg_array_text(&c[1], span_of(rule->name));
    pg_array_int(&c[2], identity->identity_id);
    if (row->account == BATCH_NONE)
        pg_array_null(&c[3]);
    else
        pg_array_int(&c[3], work->batch->identity[row->account].identity_id);
    pg_array_text(&c[4], span_of(system ? NULL : opening->note->department));
    pg_array_text(&c[5], opening->to);
    pg_array_text(&c[6], span_of(rule->ask));
    put_opening(&c[7], work, &id, opening);
    pg_array_int(&c[8], row->occurred_at);
    column_uuid(&c[9], &row->uid);
    put_match(&c[10], rule, opening->data);
    pg_array_int(&c[11], rule->due_ms);
    pg_array_int(&c[12], opening->depth);
    pg_array_text(&c[13], opening->note->traceparent);
    columns->rows++;
}

static void add_changed(struct columns *columns, const struct handoff *handoff)
{
    struct buffer *c = columns->column;
    column_uuid(&c[0], &handoff->id);
    pg_array_text(&c[1], handoff->to);
    pg_array_text(&c[2], span_of(handoff_state_name(handoff->state)));
    column_flag(&c[3], handoff->undeliverable);
    column_flag(&c[4], handoff->overdue);
    column_time(&c[5], handoff->due_at);
    column_time(&c[6], handoff->delivered_at);
    column_time(&c[7], handoff->accepted_at);
    column_time(&c[8], handoff->closed_at);
    pg_array_text(&c[9], handoff->accepted_by);
    pg_array_text(&c[10], handoff->closed_by);
    pg_array_text(&c[11], handoff->note);
    pg_array_text(&c[12], handoff->closing_event_id);
    put_closing_uid(&c[13], handoff);
    pg_array_int(&c[14], handoff->sequence);
    pg_array_int(&c[15], handoff->opened_sequence);
    columns->rows++;
}

/* What is told of a handoff (store.tell_handoffs); NULL: nothing. As long as its receiver has not
 * been told of the opening, nothing is said of what comes after it. */
static const char *telling(const struct handoff_work *work, size_t i, bool confirming)
{
    const struct handoff *now = &work->handoff[i], *before = &work->before[i];
    bool closed = handoff_is_closed(now->state);
    if (!now->told)
        return !confirming ? NULL : closed ? "ended" : "opened";
    if (now->sequence == before->sequence)
        return NULL;
    if (closed)
        return "closed";
    return now->opened_sequence != before->opened_sequence ? "reassigned" : "updated";
}

static void add_told(struct columns *columns, const struct handoff_work *work, size_t i,
                     const char *kind)
{
    const struct handoff *now = &work->handoff[i];
    bool moved = !span_equal(now->to, work->before[i].to);
    column_uuid(&columns->column[0], &now->id);
    pg_array_text(&columns->column[1], span_of(kind));
    pg_array_text(&columns->column[2], moved ? work->before[i].to : (struct span){NULL, 0});
    pg_array_text(&columns->column[3], now->trace);
    columns->rows++;
}

static int put_new(const struct handoff_work *work)
{
    struct columns columns;
    struct pg_result *put;
    if (work->opening_count == 0)
        return 0;
    columns_init(&columns);
    for (size_t i = 0; i < work->opening_count; i++)
        add_new(&columns, work, &work->opening[i]);
    int rc = columns_put(work->pg, &columns, SQL_HANDOFFS_OPEN, 14, &put);
    columns_free(&columns);
    if (rc != 0)
        return rc;
    handoff_metrics_opened(pg_affected(put));
    pg_result_free(put);
    return 0;
}

static int put_changed(const struct handoff_work *work)
{
    struct columns columns;
    columns_init(&columns);
    for (size_t i = 0; i < work->count; i++)
        if (work->handoff[i].changed) {
            add_changed(&columns, &work->handoff[i]);
            if (handoff_is_closed(work->handoff[i].state) &&
                !handoff_is_closed(work->before[i].state))
                handoff_metrics_closed(work->handoff[i].state);
        }
    int rc = columns.rows > 0 ? columns_put(work->pg, &columns, SQL_HANDOFFS_CHANGE, 16, NULL) : 0;
    if (rc == 0)
        handoff_metrics_changed((int64_t)columns.rows);
    columns_free(&columns);
    return rc;
}

static int tell(const struct handoff_work *work, bool confirming)
{
    struct columns told;
    columns_init(&told);
    for (size_t i = 0; i < work->count; i++) {
        const char *kind = telling(work, i, confirming);
        if (kind)
            add_told(&told, work, i, kind);
    }
    int rc = told.rows > 0 ? columns_put(work->pg, &told, SQL_HANDOFFS_TELL, 4, NULL) : 0;
    columns_free(&told);
    return rc;
}

static void append_member(struct buffer *data, const char *name, struct span text)
{
    buffer_printf(data, ",\"%s\":", name);
    if (text.ptr)
        buffer_append_json_string(data, text);
    else
        buffer_append_text(data, "null");
}

static void add_refusal(struct columns *columns, const struct handoff_refusal *refusal)
{
    const struct batch_note *note = refusal->note;
    const struct handoff_asked *asked = note->asked;
    struct buffer data;
    char id[EVENT_UID_TEXT];
    event_uid_text(&asked->handoff, id);
    buffer_init(&data, HANDOFF_ARRAY_LIMIT);
    buffer_printf(&data, "{\"handoff\":\"%s\",\"action\":\"%s\"", id,
                  handoff_action_name(asked->action));
    append_member(&data, "state",
                  refusal->handoff ? span_of(handoff_state_name(refusal->handoff->state))
                                   : (struct span){NULL, 0});
    append_member(&data, "by", asked->by);
    append_member(&data, "note", asked->note);
    append_member(&data, "detail", span_of(refusal->detail));
    buffer_append_char(&data, '}');
    columns->column[4].failed = columns->column[4].failed || data.failed;
    pg_array_text(&columns->column[0], span_of(note->department));
    column_uuid(&columns->column[1], &asked->handoff);
    pg_array_text(&columns->column[2], note->asked_id);
    pg_array_text(&columns->column[3], note->traceparent);
    pg_array_text(&columns->column[4], buffer_span(&data));
    buffer_free(&data);
    columns->rows++;
}

static int tell_refusals(const struct handoff_work *work)
{
    struct columns columns;
    if (work->refusal_count == 0)
        return 0;
    columns_init(&columns);
    for (size_t i = 0; i < work->refusal_count; i++)
        add_refusal(&columns, &work->refusal[i]);
    int rc = columns_put(work->pg, &columns, SQL_HANDOFFS_REFUSE, 5, NULL);
    columns_free(&columns);
    if (rc == 0)
        handoff_metrics_refused((int64_t)work->refusal_count);
    return rc;
}

int handoff_write(struct handoff_work *work)
{
    int rc = put_new(work);
    if (rc == 0)
        rc = put_changed(work);
    if (rc == 0)
        rc = tell(work, false);
    return rc ? rc : tell_refusals(work);
}

int handoff_write_confirmed(struct handoff_work *work)
{
    struct columns ids;
    int rc = put_changed(work);
    if (rc == 0)
        rc = tell(work, true);
    if (rc != 0)
        return rc;
    columns_init(&ids);
    for (size_t i = 0; i < work->count; i++)
        column_uuid(&ids.column[0], &work->handoff[i].id);
    rc = columns_put(work->pg, &ids, SQL_HANDOFFS_CONFIRMED, 1, NULL);
    columns_free(&ids);
    return rc;
}
