#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/event/system_events.h"
#include "services/aggregator/columns.h"
#include "services/aggregator/handoff_metrics.h"
#include "services/aggregator/handoff_work.h"
#include "sql.h"

/* How many handoffs have led to this event: what the system says of a handoff carries it. */
static int64_t depth_of(const struct batch_note *note, json_t *data)
{
    if (!span_starts_with(note->type, SYSTEM_NAME ".handoff."))
        return 0;
    return json_integer_value(json_object_get(data, "depth")) + 1;
}

static bool too_deep(const struct handoff_rule *rule, int64_t depth, const struct batch_row *row)
{
    if (depth <= HANDOFF_DEPTH_LIMIT)
        return false;
    handoff_metrics_cut();
    log_error("Handoffs open each other without end: this one is not opened. Mend the rules",
              LOG_TEXT("rule", rule->name), LOG_INT("depth", depth),
              LOG_TEXT("topic", row->partition->topic),
              LOG_INT("partition", row->partition->partition), LOG_INT("offset", row->offset));
    return true;
}

static int add_opening(struct handoff_work *work, const struct handoff_rule *rule,
                       const struct batch_row *row, const struct batch_note *note, json_t *data)
{
    int64_t depth = depth_of(note, data);
    if (!handoff_rule_wants(rule, row->occurred_at, work->now, data) || too_deep(rule, depth, row))
        return 0;
    int rc = handoff_work_grow(&work->opening, work->opening_count, &work->opening_capacity,
                               sizeof *work->opening);
    if (rc == 0)
        work->opening[work->opening_count++] = (struct handoff_opening){
            .rule = rule, .row = row, .note = note, .data = data, .depth = depth};
    return rc;
}

static int collect_row(struct handoff_work *work, const struct batch_row *row,
                       const struct batch_note *note)
{
    size_t count;
    const struct handoff_interest *interest = handoff_rules_of(work->rules, note->type, &count);
    json_t *data = NULL;
    bool read = false;
    int rc = 0;
    for (size_t k = 0; k < count && rc == 0; k++) {
        if (interest[k].use != HANDOFF_OPENS)
            continue;
        if (!read)
            rc = handoff_work_data(work, batch_note_data(work->batch, note), &data);
        read = true;
        if (rc == 0)
            rc = add_opening(work, interest[k].rule, row, note, data);
    }
    return rc;
}

static int64_t customer_of(const struct handoff_work *work, const struct handoff_opening *opening)
{
    return work->batch->identity[opening->row->identity].customer_id;
}

static bool goes_to_owner(const struct handoff_rule *rule)
{
    return strcmp(rule->to, HANDOFF_TO_OWNER) == 0;
}

/* How many before it in the batch are opened by the same rule for the same customer, as far as is
 * known? Who is to be the first is known under a lock; the limit of a day may err by a batch. */
static int64_t count_before(const struct handoff_work *work, size_t index)
{
    const struct handoff_opening *opening = &work->opening[index];
    int64_t count = 0;
    for (size_t i = 0; i < index; i++) {
        const struct handoff_opening *other = &work->opening[i];
        count += !other->dropped && other->rule == opening->rule &&
                 customer_of(work, other) == customer_of(work, opening);
    }
    return count;
}

/* Departments whose systems answer each other by events can go round without end, which no look at
 * the rules shows. */
static bool too_many(const struct handoff_opening *opening, int64_t within_a_day)
{
    if (within_a_day < HANDOFF_DAY_LIMIT)
        return false;
    handoff_metrics_cut();
    log_error("A rule opens handoffs for one customer without end: this one is not opened. Do its "
              "events answer what is handed over?",
              LOG_TEXT("rule", opening->rule->name), LOG_INT("within_a_day", within_a_day),
              LOG_TEXT("topic", opening->row->partition->topic),
              LOG_INT("partition", opening->row->partition->partition),
              LOG_INT("offset", opening->row->offset));
    return true;
}

/* The columns of SQL_HANDOFFS_CIRCUMSTANCES, in their order. */
static void judge(struct handoff_work *work, size_t index, const struct pg_result *rows, int row)
{
    struct handoff_opening *opening = &work->opening[index];
    const struct handoff_rule *rule = opening->rule;
    int64_t before = count_before(work, index);
    bool open_issue = strcmp(pg_text(rows, row, 0), "t") == 0;
    bool had = before > 0 || strcmp(pg_text(rows, row, 2), "t") == 0;
    if (rule->open_issue != ISSUE_ANY && open_issue != (rule->open_issue == ISSUE_OPEN))
        opening->dropped = true;
    if (rule->known_for_ms > 0 &&
        (pg_is_null(rows, row, 1) || work->now - pg_int(rows, row, 1) < rule->known_for_ms * 1000))
        opening->dropped = true;
    if (rule->first && had)
        opening->dropped = true;
    if (!opening->dropped)
        opening->dropped = too_many(opening, before + pg_int(rows, row, 3));
    const struct department *owner = vocabulary_department(work->vocabulary, pg_span(rows, row, 4));
    if (goes_to_owner(rule) && owner)
        opening->to = span_of(owner->name);
}

/* The receiver is known without asking, or by its owner, or the rule's fallback. */
static void find_receiver(struct handoff_opening *opening)
{
    const struct handoff_rule *rule = opening->rule;
    if (!goes_to_owner(rule))
        opening->to = span_of(rule->to);
    else if (!opening->to.ptr)
        opening->to = span_of(rule->fallback);
    if (opening->to.ptr || opening->dropped)
        return;
    opening->dropped = true;
    log_warn("A handoff has no receiver: its customer has no owner. Give the rule a fallback",
             LOG_TEXT("rule", rule->name));
}

static int judge_all(struct handoff_work *work, struct columns *question)
{
    struct pg_result *rows;
    int rc = columns_put(work->pg, question, SQL_HANDOFFS_CIRCUMSTANCES, 5, &rows);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < work->opening_count; i++)
        judge(work, i, rows, (int)i);
    pg_result_free(rows);
    return 0;
}

static int ask_circumstances(struct handoff_work *work)
{
    struct columns question;
    columns_init(&question);
    for (size_t i = 0; i < work->opening_count; i++) {
        const struct handoff_rule *rule = work->opening[i].rule;
        pg_array_int(&question.column[0],
                     work->batch->identity[work->opening[i].row->identity].identity_id);
        pg_array_text(&question.column[1], span_of(rule->name));
        column_flag(&question.column[2], rule->open_issue != ISSUE_ANY);
        column_flag(&question.column[3], rule->known_for_ms > 0);
        column_flag(&question.column[4], goes_to_owner(rule));
        question.rows++;
    }
    int rc = question.rows > 0 ? judge_all(work, &question) : 0;
    columns_free(&question);
    return rc;
}

int handoff_openings(struct handoff_work *work)
{
    int rc = 0;
    for (size_t i = 0; i < work->batch->unique_count && rc == 0; i++) {
        const struct batch_row *row = &work->batch->row[i];
        if (row->note != BATCH_NONE && work->batch->note[row->note].opens)
            rc = collect_row(work, row, &work->batch->note[row->note]);
    }
    if (rc == 0)
        rc = ask_circumstances(work);
    size_t kept = 0;
    for (size_t i = 0; i < work->opening_count && rc == 0; i++) {
        find_receiver(&work->opening[i]);
        if (!work->opening[i].dropped)
            work->opening[kept++] = work->opening[i];
    }
    work->opening_count = kept;
    return rc;
}
