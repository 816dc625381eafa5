#include "services/aggregator/handoffs.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/event/system_events.h"
#include "common/json/json_pointer.h"
#include "services/aggregator/columns.h"
#include "services/aggregator/events.h"
#include "services/aggregator/handoff_work.h"
#include "sql.h"

#define WORK_LIMIT ((size_t)128 * 1024 * 1024)

int handoff_work_grow(void *list, size_t count, size_t *capacity, size_t size)
{
    int rc = list_grow(list, count, capacity, size);
    if (rc != 0)
        log_error("No memory for the handoffs of a batch");
    return rc;
}

int handoff_work_data(struct handoff_work *work, struct span text, json_t **data)
{
    *data = NULL;
    if (text.len == 0)
        return 0;
    if (!work->trees)
        work->trees = json_array();
    int rc = json_read(text, data, NULL, NULL);
    if (rc == ERR_INVALID)
        return 0;
    if (rc == 0 && json_array_append_new(work->trees, *data) != 0)
        rc = ERR_MEMORY;
    return rc;
}

/* The handoffs of the rows that ask or report, as far as they are not known yet. */
static bool list_asked(const struct batch *batch, struct buffer *ids)
{
    bool any = false;
    for (size_t i = 0; batch->note_count > 0 && i < batch->row_count; i++) {
        const struct batch_row *row = &batch->row[i];
        if (row->identity != BATCH_NONE)
            continue;
        column_uuid(ids, &batch->note[row->note].asked->handoff);
        any = true;
    }
    pg_array_end(ids);
    return any;
}

/* The answer is sorted by id. */
static int find_located(const struct pg_result *rows, const struct event_uid *handoff)
{
    char id[EVENT_UID_TEXT];
    int low = 0, high = pg_rows(rows);
    event_uid_text(handoff, id);
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(pg_text(rows, middle, 0), id);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static int place_all(struct batch *batch, const struct pg_result *rows)
{
    int rc = 0;
    batch->unique_count = batch->row_count;
    for (size_t i = 0; i < batch->row_count && rc == 0; i++) {
        struct batch_row *row = &batch->row[i];
        if (row->identity != BATCH_NONE)
            continue;
        struct batch_note *note = &batch->note[row->note];
        int found = find_located(rows, &note->asked->handoff);
        if (found >= 0) {
            rc = batch_place(batch, row, pg_span(rows, found, 1), pg_span(rows, found, 2));
            continue;
        }
        rc = events_refuse(batch, i--, REASON_UNKNOWN_HANDOFF,
                           "there is no handoff with the id in data.handoff");
        note->refused = rc == 0;
    }
    return rc;
}

int handoffs_locate(struct pg *pg, struct batch *batch)
{
    struct buffer ids;
    struct pg_result *rows;
    buffer_init(&ids, HANDOFF_ARRAY_LIMIT);
    bool any = list_asked(batch, &ids);
    int rc = ids.failed ? ERR_MEMORY : 0;
    if (rc == 0 && any) {
        rc = pg_query_prepared(pg, SQL_HANDOFFS_LOCATE, (const char *const[]){ids.data}, 1, &rows);
        if (rc == 0) {
            rc = place_all(batch, rows);
            pg_result_free(rows);
        }
    }
    buffer_free(&ids);
    return rc;
}

static const struct batch_note *note_of(const struct batch *batch, size_t row)
{
    uint32_t note = batch->row[row].note;
    return note == BATCH_NONE ? NULL : &batch->note[note];
}

static int add_closing(struct handoff_work *work, size_t index, const struct batch_note *note,
                       const struct handoff_interest *interest)
{
    const struct batch_row *row = &work->batch->row[index];
    int rc = handoff_work_grow(&work->closing, work->closing_count, &work->closing_capacity,
                               sizeof *work->closing);
    if (rc != 0)
        return rc;
    work->closing[work->closing_count++] = (struct handoff_closing){
        .identity_id = work->batch->identity[row->identity].identity_id,
        .account_identity_id = row->account == BATCH_NONE || row->account == row->identity
                                   ? 0
                                   : work->batch->identity[row->account].identity_id,
        .occurred_at = row->occurred_at,
        .uid = row->uid,
        .rule = interest->rule,
        .use = interest->use,
        .trace = note->traceparent,
        .row = index,
    };
    return 0;
}

/* Rows that may close a handoff. */
static int collect_closings(struct handoff_work *work)
{
    int rc = 0;
    for (size_t i = 0; i < work->batch->unique_count && rc == 0; i++) {
        const struct batch_note *note = note_of(work->batch, i);
        size_t count = 0;
        const struct handoff_interest *interest =
            note && note->closes ? handoff_rules_of(work->rules, note->type, &count) : NULL;
        for (size_t k = 0; k < count && rc == 0; k++)
            if (interest[k].use != HANDOFF_OPENS)
                rc = add_closing(work, i, note, &interest[k]);
    }
    return rc;
}

static int refuse(struct handoff_work *work, const struct batch_note *note,
                  const struct handoff *handoff, const char *detail)
{
    int rc = handoff_work_grow(&work->refusal, work->refusal_count, &work->refusal_capacity,
                               sizeof *work->refusal);
    if (rc != 0)
        return rc;
    if (!detail)
        return ERR_MEMORY;
    work->refusal[work->refusal_count++] = (struct handoff_refusal){note, handoff, detail};
    return 0;
}

static struct handoff *find(const struct handoff_work *work, const struct event_uid *id)
{
    size_t low = 0, high = work->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(work->handoff[middle].id.bytes, id->bytes, sizeof id->bytes);
        if (order == 0)
            return &work->handoff[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Whose word counts: the receiver's; of a declined one also the department's that it is back with.
 * A report may be late: about an opening that has been overtaken by a reassignment. */
static bool may_ask(const struct handoff *handoff, const struct batch_note *note)
{
    struct span department = span_of(note->department);
    if (handoff_is_report(note->asked->action))
        return span_equal(handoff->to, department) &&
               note->asked->sequence >= handoff->opened_sequence;
    return span_equal(handoff->to, department) ||
           (handoff->state == HANDOFF_DECLINED && handoff->from.ptr &&
            span_equal(handoff->from, department));
}

/* What was declined and came from no department goes to the rule's fallback. */
static void fall_back(const struct handoff_work *work, struct handoff *handoff,
                      const struct handoff_request *declined)
{
    const struct handoff_rule *rule = handoff_rule_named(work->rules, handoff->rule);
    if (handoff->from.ptr || !rule || !rule->fallback || span_is(handoff->to, rule->fallback))
        return;
    struct handoff_request reassign = *declined;
    reassign.action = ACTION_REASSIGN;
    reassign.to = span_of(rule->fallback);
    handoff_fold_request(handoff, &reassign, rule->due_ms);
}

static int take_request(struct handoff_work *work, const struct batch_row *row,
                        const struct batch_note *note)
{
    const struct handoff_asked *asked = note->asked;
    struct handoff *handoff = find(work, &asked->handoff);
    if (!handoff) /* it was there when it was looked for, and handoffs stay */
        return refuse(work, note, NULL, "there is no such handoff");
    if (!may_ask(handoff, note))
        return handoff_is_report(asked->action)
                   ? 0
                   : refuse(work, note, handoff,
                            arena_printf(&work->arena, "the handoff is %.*s's, not %s's",
                                         SPAN_ARGS(handoff->to), note->department));
    if (asked->action == ACTION_REASSIGN && !vocabulary_department(work->vocabulary, asked->to))
        return refuse(
            work, note, handoff,
            arena_printf(&work->arena, "there is no department %.*s", SPAN_ARGS(asked->to)));
    const struct handoff_rule *rule = handoff_rule_named(work->rules, handoff->rule);
    struct handoff_request request = {.action = asked->action,
                                      .occurred_at = row->occurred_at,
                                      .by = asked->by,
                                      .note = asked->note,
                                      .to = asked->to};
    enum handoff_effect effect =
        handoff_fold_request(handoff, &request, rule ? rule->due_ms : handoff->due_ms);
    if (effect == EFFECT_REFUSED)
        return refuse(work, note, handoff,
                      arena_printf(&work->arena, "the handoff is %s: %s changes nothing any more",
                                   handoff_state_name(handoff->state),
                                   handoff_action_name(asked->action)));
    if (effect == EFFECT_MOVES && note->traceparent.ptr)
        handoff->trace = note->traceparent;
    if (effect == EFFECT_MOVES && asked->action == ACTION_DECLINE)
        fall_back(work, handoff, &request);
    return 0;
}

/* Most closing events are of customers whom nothing was handed over of: only the others are opened.
 */
static int open_closings(struct handoff_work *work)
{
    size_t kept = 0;
    int rc = 0;
    for (size_t i = 0; i < work->closing_count && rc == 0; i++) {
        struct handoff_closing *closing = &work->closing[i];
        if (!closing->customer_id && !closing->account_customer_id)
            continue;
        const struct batch_row *row = &work->batch->row[closing->row];
        struct span source;
        batch_row_key(work->batch, row, &source, &closing->event_id);
        if (closing->rule->match_count > 0)
            rc = handoff_work_data(work,
                                   batch_note_data(work->batch, note_of(work->batch, closing->row)),
                                   &closing->data);
        work->closing[kept++] = *closing;
    }
    work->closing_count = kept;
    return rc;
}

/* Closing events and requests in the order in which they occurred: of two at one moment the event
 * first. */
static int fold(struct handoff_work *work)
{
    size_t folded = 0;
    int rc = 0;
    handoff_sort_closings(work->closing, work->closing_count);
    for (size_t i = 0; i < work->batch->unique_count && rc == 0; i++) {
        const struct batch_row *row = &work->batch->row[i];
        const struct batch_note *note = note_of(work->batch, i);
        if (!note || !note->asked)
            continue;
        size_t until = folded;
        while (until < work->closing_count && work->closing[until].occurred_at <= row->occurred_at)
            until++;
        handoff_fold_closings(work->handoff, work->count, &work->closing[folded], until - folded);
        folded = until;
        rc = take_request(work, row, note);
    }
    if (folded < work->closing_count)
        handoff_fold_closings(work->handoff, work->count, &work->closing[folded],
                              work->closing_count - folded);
    for (size_t i = 0; i < work->batch->note_count && rc == 0; i++)
        if (work->batch->note[i].refused && /* by a report nobody has asked for anything */
            !handoff_is_report(work->batch->note[i].asked->action))
            rc = refuse(work, &work->batch->note[i], NULL, "there is no such handoff");
    return rc;
}

/* What others were writing when customers became one in this batch could not be seen. */
static int doubt(struct handoff_work *work)
{
    struct columns merged;
    columns_init(&merged);
    for (size_t i = 0; i < work->batch->identity_count; i++) {
        if (!work->batch->identity[i].merged)
            continue;
        pg_array_int(&merged.column[0], work->batch->identity[i].customer_id);
        merged.rows++;
    }
    int rc = merged.rows > 0 ? columns_put(work->pg, &merged, SQL_HANDOFFS_DOUBT, 1, NULL) : 0;
    columns_free(&merged);
    return rc;
}

static int apply(struct handoff_work *work)
{
    int rc = collect_closings(work);
    if (rc == 0)
        rc = doubt(work);
    if (rc == 0)
        rc = handoff_load(work);
    if (rc == 0)
        rc = open_closings(work);
    if (rc == 0)
        rc = handoff_openings(work);
    if (rc == 0)
        rc = fold(work);
    return rc ? rc : handoff_write(work);
}

/* Nearly every batch has little of handoffs in it, or nothing. */
static bool concerns_handoffs(const struct batch *batch)
{
    for (size_t i = 0; i < batch->note_count; i++)
        if (batch->note[i].opens || batch->note[i].closes || batch->note[i].asked)
            return true;
    for (size_t i = 0; i < batch->identity_count; i++)
        if (batch->identity[i].merged)
            return true;
    return false;
}

void handoff_work_init(struct handoff_work *work, struct pg *pg, const struct handoff_rules *rules)
{
    *work = (struct handoff_work){.pg = pg, .rules = rules, .now = clock_wall_us()};
    arena_init(&work->arena, WORK_LIMIT);
}

void handoff_work_free(struct handoff_work *work)
{
    free(work->handoff);
    free(work->before);
    free(work->opening);
    free(work->closing);
    free(work->refusal);
    json_decref(work->trees);
    arena_free(&work->arena);
}

int handoffs_apply(struct pg *pg, const struct handoff_rules *rules,
                   const struct vocabulary *vocabulary, const struct batch *batch)
{
    struct handoff_work work;
    if (!concerns_handoffs(batch))
        return 0;
    handoff_work_init(&work, pg, rules);
    work.vocabulary = vocabulary;
    work.batch = batch;
    int rc = apply(&work);
    handoff_work_free(&work);
    return rc;
}
