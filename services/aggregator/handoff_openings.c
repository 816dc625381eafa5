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

static bool asks_database(const struct handoff_rule *rule)
{
    return rule->open_issue != ISSUE_ANY || rule->known_for_ms > 0 || rule->first ||
           strcmp(rule->to, HANDOFF_TO_OWNER) == 0;
}

/* Has one before it in the batch been opened by the same rule for the same customer? */
static bool is_second(const struct handoff_work *work, size_t index)
{
    const struct handoff_opening *opening = &work->opening[index];
    for (size_t i = 0; i < index; i++) {
        const struct handoff_opening *other = &work->opening[i];
        if (!other->dropped && other->rule == opening->rule &&
            customer_of(work, other) == customer_of(work, opening))
            return true;
    }
    return false;
}

static void judge(struct handoff_work *work, size_t index, const struct pg_result *rows, int row)
{
    struct handoff_opening *opening = &work->opening[index];
    const struct handoff_rule *rule = opening->rule;
    bool open_issue = strcmp(pg_text(rows, row, 0), "t") == 0;
    bool had = strcmp(pg_text(rows, row, 2), "t") == 0;
    if (rule->open_issue != ISSUE_ANY && open_issue != (rule->open_issue == ISSUE_OPEN))
        opening->dropped = true;
    if (rule->known_for_ms > 0 &&
        (pg_is_null(rows, row, 1) || work->now - pg_int(rows, row, 1) < rule->known_for_ms * 1000))
        opening->dropped = true;
    if (rule->first && (had || is_second(work, index)))
        opening->dropped = true;
    if (strcmp(rule->to, HANDOFF_TO_OWNER) != 0)
        return;
    const struct department *owner = vocabulary_department(work->vocabulary, pg_span(rows, row, 3));
    if (owner)
        opening->to = span_of(owner->name);
}

/* The receiver is known without asking, or by its owner, or the rule's fallback. */
static void find_receiver(struct handoff_opening *opening)
{
    const struct handoff_rule *rule = opening->rule;
    if (strcmp(rule->to, HANDOFF_TO_OWNER) != 0)
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
    int row = 0;
    int rc = columns_put(work->pg, question, SQL_HANDOFFS_CIRCUMSTANCES, 3, &rows);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < work->opening_count; i++)
        if (asks_database(work->opening[i].rule))
            judge(work, i, rows, row++);
    pg_result_free(rows);
    return 0;
}

static int ask_circumstances(struct handoff_work *work)
{
    struct columns question;
    columns_init(&question);
    for (size_t i = 0; i < work->opening_count; i++) {
        const struct handoff_opening *opening = &work->opening[i];
        if (!asks_database(opening->rule))
            continue;
        pg_array_int(&question.column[0], customer_of(work, opening));
        pg_array_text(&question.column[1], span_of(opening->rule->name));
        column_flag(&question.column[2], opening->rule->known_for_ms > 0);
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
