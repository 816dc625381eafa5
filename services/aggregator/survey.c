#include "services/aggregator/survey.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "services/aggregator/batch.h"
#include "services/aggregator/handoff_states.h"
#include "sql.h"

#define EVERY_MS   5000
#define FAILED_MS  60000 /* after one that failed: the watch has to do its work */
#define COST_RATIO 100   /* so many times as long as a look took there is none */

/* Most that are counted, so that a look is over long before the lease is. Handoffs lie all over
 * their table, records in quarantine next to each other. */
#define HANDOFFS   "20000"
#define QUARANTINE "100000"

static const struct {
    const char *name, *help;
} kinds[] = {
    {"throughline_handoffs",
     "Handoffs that are not closed, by whose they are and their state, at most 20,000 are counted, "
     "of each department its share of them; of the aggregator that watches."},
    {"throughline_handoffs_overdue",
     "Those of them whose due time has passed; of the aggregator that watches."},
    {"throughline_handoffs_undeliverable",
     "Those of them that their receiver did not take; of the aggregator that watches."},
    {"throughline_quarantine_waiting",
     "Records in quarantine that wait for a decision, by the reason, at most 100,000 are counted; "
     "of the aggregator that watches."},
    {"throughline_books_difference_records",
     "Records that the kept books of a topic's partitions do not account for: 0, or something is "
     "wrong; of the aggregator that watches."},
};
enum { LIVE, OVERDUE, UNDELIVERABLE, WAITING, DIFFERENCE };

/* What stands in a label: words of ours and of the configuration. Else it is none of them. */
static const char *word(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return "other";
    return len > 0 && len <= 64 ? text : "other";
}

static void add(struct survey *survey, int kind, const char *labels, int64_t count)
{
    struct metric *metric = metric_gauge(kinds[kind].name, labels, kinds[kind].help);
    for (size_t i = 0; i < survey->count; i++) {
        if (survey->tally[i].metric != metric)
            continue;
        survey->tally[i].value += count;
        return;
    }
    if (survey->count == SURVEY_TALLIES)
        return;
    survey->tally[survey->count].metric = metric;
    survey->tally[survey->count++].value = count;
}

static void add_one(struct survey *survey, int kind, const char *name, const char *value,
                    int64_t count)
{
    char labels[160];
    snprintf(labels, sizeof labels, "%s=\"%s\"", name, word(value));
    add(survey, kind, labels, count);
}

static void add_handoffs(struct survey *survey, const char *department, const char *state,
                         int64_t count)
{
    char labels[200];
    snprintf(labels, sizeof labels, "department=\"%s\",state=\"%s\"", word(department),
             word(state));
    add(survey, LIVE, labels, count);
}

/* So that a series is there before there is anything to count. */
static void add_nothing(struct survey *survey, const struct vocabulary *vocabulary,
                        const char *const *topics)
{
    static const char *const reasons[] = {REASON_NOT_A_CLOUDEVENT, REASON_INADMISSIBLE,
                                          REASON_UID_COLLISION,    REASON_UNSTORABLE,
                                          REASON_UNMAPPED,         REASON_UNKNOWN_HANDOFF};
    for (size_t i = 0; i < vocabulary->count; i++) {
        const char *department = vocabulary->departments[i].name;
        for (int state = 0; state < HANDOFF_STATES; state++)
            if (!handoff_is_closed((enum handoff_state)state))
                add_handoffs(survey, department, handoff_state_name((enum handoff_state)state), 0);
        add_one(survey, OVERDUE, "department", department, 0);
        add_one(survey, UNDELIVERABLE, "department", department, 0);
    }
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        add_one(survey, WAITING, "reason", reasons[i], 0);
    for (; *topics; topics++)
        add_one(survey, DIFFERENCE, "topic", *topics, 0);
}

void survey_init(struct survey *survey, const struct vocabulary *vocabulary,
                 const char *const *topics)
{
    *survey = (struct survey){.count = 0};
    add_nothing(survey, vocabulary, topics);
    survey->unconfirmed =
        metric_gauge("throughline_handoffs_unconfirmed_oldest_seconds", NULL,
                     "How long the first opening has waited to be confirmed, before which it is "
                     "not told; of more than 20,000 the first of a sample; of the aggregator that "
                     "watches.");
    survey->quarantine_oldest =
        metric_gauge("throughline_quarantine_oldest_seconds", NULL,
                     "How long the first record of those in quarantine has waited for a decision; "
                     "of the aggregator that watches.");
}

static int count_handoffs(struct survey *survey, struct pg *pg)
{
    static const char *const params[] = {HANDOFFS};
    struct pg_result *rows;
    int rc = pg_query_prepared(pg, SQL_SURVEY_HANDOFFS, params, 1, &rows);
    if (rc != 0)
        return rc;
    for (int i = 0; i < pg_rows(rows); i++) {
        const char *department = pg_text(rows, i, 0);
        add_handoffs(survey, department, pg_text(rows, i, 1), pg_int(rows, i, 2));
        add_one(survey, OVERDUE, "department", department, pg_int(rows, i, 3));
        add_one(survey, UNDELIVERABLE, "department", department, pg_int(rows, i, 4));
    }
    pg_result_free(rows);
    return 0;
}

static int look_at_unconfirmed(struct survey *survey, struct pg *pg)
{
    static const char *const params[] = {HANDOFFS};
    struct pg_result *row;
    int rc = pg_query_prepared(pg, SQL_SURVEY_UNCONFIRMED, params, 1, &row);
    if (rc != 0)
        return rc;
    metric_set(survey->unconfirmed, pg_int(row, 0, 0));
    pg_result_free(row);
    return 0;
}

static int count_quarantine(struct survey *survey, struct pg *pg)
{
    static const char *const params[] = {QUARANTINE};
    struct pg_result *rows;
    int64_t oldest = 0;
    int rc = pg_query_prepared(pg, SQL_SURVEY_QUARANTINE, params, 1, &rows);
    if (rc != 0)
        return rc;
    for (int i = 0; i < pg_rows(rows); i++) {
        add_one(survey, WAITING, "reason", pg_text(rows, i, 0), pg_int(rows, i, 1));
        if (pg_int(rows, i, 2) > oldest)
            oldest = pg_int(rows, i, 2);
    }
    metric_set(survey->quarantine_oldest, oldest);
    pg_result_free(rows);
    return 0;
}

static int look_at_books(struct survey *survey, struct pg *pg)
{
    struct pg_result *rows;
    int rc = pg_query_prepared(pg, SQL_SURVEY_BOOKS, NULL, 0, &rows);
    if (rc != 0)
        return rc;
    for (int i = 0; i < pg_rows(rows); i++)
        add_one(survey, DIFFERENCE, "topic", pg_text(rows, i, 0), pg_int(rows, i, 1));
    pg_result_free(rows);
    return 0;
}

int survey_look(struct survey *survey, struct pg *pg)
{
    int64_t began = clock_monotonic_ms();
    if (began < survey->next_ms)
        return 0;
    survey->next_ms = began + FAILED_MS;
    for (size_t i = 0; i < survey->count; i++)
        survey->tally[i].value = 0;
    int rc = count_handoffs(survey, pg);
    if (rc == 0)
        rc = look_at_unconfirmed(survey, pg);
    if (rc == 0)
        rc = count_quarantine(survey, pg);
    if (rc == 0)
        rc = look_at_books(survey, pg);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < survey->count; i++)
        metric_set(survey->tally[i].metric, survey->tally[i].value);
    int64_t now = clock_monotonic_ms(), rest = (now - began) * COST_RATIO;
    survey->next_ms = now + (rest > EVERY_MS ? rest : EVERY_MS);
    return 0;
}

void survey_clear(struct survey *survey)
{
    for (size_t i = 0; i < survey->count; i++)
        metric_set(survey->tally[i].metric, 0);
    metric_set(survey->unconfirmed, 0);
    metric_set(survey->quarantine_oldest, 0);
}
