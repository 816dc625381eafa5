#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/aggregator/handoff_asked.h"
#include "tests/unit/failing_statements.h"

/* Columns of handoffs_load.sql. */
enum column {
    ID,
    RULE,
    IDENTITY,
    CUSTOMER,
    FROM,
    TO,
    STATE,
    OVERDUE,
    UNDELIVERABLE,
    OCCURRED,
    DUE,
    DELIVERED,
    ACCEPTED,
    CLOSED,
    ACCEPTED_BY,
    CLOSED_BY,
    NOTE,
    CLOSING_ID,
    CLOSING_UID,
    MATCH,
    DUE_MS,
    SEQUENCE,
    OPENED_SEQUENCE,
    DEPTH,
    TOLD,
    TRACE
};

/* COPY counts from 2000 on. */
#define EPOCH_2000 INT64_C(946684800000000)

/* --- elements of parameters --- */

/* NULL: "". */
static void element(const char *array, size_t index, char *out, size_t size)
{
    bool there = true;
    for (size_t i = 0; i <= index && there; i++)
        there = store_element(&array, out, size);
    if (!there || strcmp(out, "NULL") == 0)
        out[0] = '\0';
}

static size_t count_of(const char *array)
{
    char unused[8];
    size_t count = 0;
    while (store_element(&array, unused, sizeof unused))
        count++;
    return count;
}

static bool holds(const char *array, const char *text)
{
    char one[64];
    while (store_element(&array, one, sizeof one))
        if (strcmp(one, text) == 0)
            return true;
    return false;
}

static uint64_t hash_element(uint64_t seed, const char *array, size_t index)
{
    char text[256];
    element(array, index, text, sizeof text);
    return store_hash(seed, text, strlen(text) + 1);
}

/* --- the handoffs --- */

static struct store_handoff *find(struct store *s, const char *id)
{
    for (size_t i = 0; i < s->handoffs.count; i++)
        if (strcmp(s->handoffs.handoff[i].column[ID], id) == 0)
            return &s->handoffs.handoff[i];
    return NULL;
}

static bool is_live(const struct store_handoff *h)
{
    const char *state = h->column[STATE];
    return strcmp(state, "open") == 0 || strcmp(state, "delivered") == 0 ||
           strcmp(state, "accepted") == 0;
}

/* In the order of their ids. */
static void insert(struct store *s, const struct store_handoff *h)
{
    struct store_handoffs *all = &s->handoffs;
    if (all->count == STORE_HANDOFFS) {
        store_note("more handoffs than the test's tables hold");
        return;
    }
    size_t at = all->count++;
    for (; at > 0 && strcmp(all->handoff[at - 1].column[ID], h->column[ID]) > 0; at--)
        all->handoff[at] = all->handoff[at - 1];
    all->handoff[at] = *h;
}

static void answer_handoff(struct store_answer *answer, const struct store_handoff *h)
{
    for (int c = 0; c < STORE_COLUMNS; c++) {
        store_cell(answer, c, h->column[c]);
        answer->null[answer->rows][c] = h->column[c][0] == '\0';
    }
    answer->rows++;
}

/* All of the test's handoffs are Ann's. */
static void locate(struct store *s, const char *const *params, struct store_answer *answer)
{
    for (size_t i = 0; i < s->handoffs.count; i++) {
        const struct store_handoff *h = &s->handoffs.handoff[i];
        if (!holds(params[0], h->column[ID]))
            continue;
        store_cell(answer, 0, h->column[ID]);
        store_cell(answer, 1, "email");
        store_cell(answer, 2, "ann@acme.example");
        answer->rows++;
    }
}

static void load(struct store *s, const char *const *params, struct store_answer *answer)
{
    for (size_t i = 0; i < s->handoffs.count; i++) {
        const struct store_handoff *h = &s->handoffs.handoff[i];
        const bool closes = count_of(params[0]) > 0 && holds(params[2], h->column[RULE]);
        if ((closes && is_live(h)) || holds(params[1], h->column[ID]))
            answer_handoff(answer, h);
    }
}

static void load_unconfirmed(struct store *s, const char *const *params,
                             struct store_answer *answer)
{
    for (size_t i = 0; i < s->handoffs.count; i++) {
        const struct store_handoff *h = &s->handoffs.handoff[i];
        if (h->unconfirmed && holds(params[0], h->column[ID]))
            answer_handoff(answer, h);
    }
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void customers(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)s;
    int64_t ids[STORE_ROWS];
    size_t count = 0;
    for (; count < STORE_ROWS && store_number(params[0], count) != INT64_MIN; count++)
        ids[count] = store_number(params[0], count);
    qsort(ids, count, sizeof *ids, by_number);
    for (size_t i = 0; i < count; i++) {
        store_cell_number(answer, 0, ids[i]);
        store_cell_number(answer, 1, STORE_CUSTOMER);
        answer->rows++;
    }
}

static void doubt(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)params, (void)answer;
    for (size_t i = 0; i < s->handoffs.count; i++)
        if (is_live(&s->handoffs.handoff[i]))
            s->handoffs.handoff[i].unconfirmed = true;
}

static void circumstances(struct store *s, const char *const *params, struct store_answer *answer)
{
    char rule[64];
    for (size_t i = 0; i < count_of(params[0]); i++) {
        bool had = false;
        element(params[1], i, rule, sizeof rule);
        for (size_t k = 0; k < s->handoffs.count; k++)
            had = had || strcmp(s->handoffs.handoff[k].column[RULE], rule) == 0;
        store_cell(answer, 0, "f");
        answer->null[answer->rows][1] = true;
        store_cell(answer, 2, had ? "t" : "f");
        store_cell(answer, 3, had ? "1" : "0");
        store_cell(answer, 4, "sales");
        answer->rows++;
    }
}

static void open_new(struct store *s, const char *const *params, struct store_answer *answer)
{
    static const struct {
        int param;
        enum column column;
    } taken[] = {{0, ID},       {1, RULE},   {2, IDENTITY}, {4, FROM},   {5, TO},
                 {8, OCCURRED}, {10, MATCH}, {11, DUE_MS},  {12, DEPTH}, {13, TRACE}};
    int put = 0;
    for (size_t i = 0; i < count_of(params[0]); i++) {
        struct store_handoff h = {.unconfirmed = true};
        for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
            element(params[taken[k].param], i, h.column[taken[k].column], sizeof h.column[0]);
        element(params[9], i, h.opening_uid, sizeof h.opening_uid);
        snprintf(h.column[CUSTOMER], sizeof h.column[0], "%d", STORE_CUSTOMER);
        if (strcmp(h.column[MATCH], "[]") == 0)
            h.column[MATCH][0] = '\0';
        snprintf(h.column[STATE], sizeof h.column[0], "open");
        snprintf(h.column[OVERDUE], sizeof h.column[0], "f");
        snprintf(h.column[UNDELIVERABLE], sizeof h.column[0], "f");
        snprintf(h.column[DUE], sizeof h.column[0], "1");
        snprintf(h.column[SEQUENCE], sizeof h.column[0], "1");
        snprintf(h.column[OPENED_SEQUENCE], sizeof h.column[0], "1");
        snprintf(h.column[TOLD], sizeof h.column[0], "f");
        if (find(s, h.column[ID]))
            continue;
        insert(s, &h);
        put++;
    }
    snprintf(answer->tag, sizeof answer->tag, "INSERT 0 %d", put);
}

static void change(struct store *s, const char *const *params, struct store_answer *answer)
{
    static const enum column columns[] = {ID,         TO,          STATE,     UNDELIVERABLE,
                                          OVERDUE,    DUE,         DELIVERED, ACCEPTED,
                                          CLOSED,     ACCEPTED_BY, CLOSED_BY, NOTE,
                                          CLOSING_ID, CLOSING_UID, SEQUENCE,  OPENED_SEQUENCE};
    char id[64];
    (void)answer;
    for (size_t i = 0; i < count_of(params[0]); i++) {
        element(params[0], i, id, sizeof id);
        struct store_handoff *h = find(s, id);
        if (!h) {
            store_note("a handoff is changed that is not there");
            return;
        }
        for (int p = 1; p < (int)(sizeof columns / sizeof *columns); p++)
            element(params[p], i, h->column[columns[p]], sizeof h->column[0]);
        for (int c = OVERDUE; c <= UNDELIVERABLE; c++)
            h->column[c][1] = '\0'; /* true, false */
    }
}

/* --- the outbox --- */

static void say(struct store *s, const struct store_told *told)
{
    struct store_handoffs *all = &s->handoffs;
    for (size_t i = 0; i < all->told_count; i++)
        if (memcmp(&all->told[i], told, sizeof *told) == 0)
            store_note("something is told twice");
    if (all->told_count < STORE_TOLD)
        all->told[all->told_count++] = *told;
    else
        store_note("more in the outbox than the test's tables hold");
}

static void tell(struct store *s, const char *const *params, struct store_answer *answer)
{
    for (size_t i = 0; i < count_of(params[0]); i++) {
        struct store_told told = {.sequence = 0};
        element(params[0], i, told.handoff, sizeof told.handoff);
        element(params[1], i, told.kind, sizeof told.kind);
        const struct store_handoff *h = find(s, told.handoff);
        if (!h)
            store_note("a handoff is told of that is not there");
        else
            told.sequence = strtoll(h->column[SEQUENCE], NULL, 10);
        say(s, &told);
    }
    answer->null[0][0] = true;
    answer->rows = 1;
}

static void tell_refusal(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)answer;
    for (size_t i = 0; i < count_of(params[0]); i++) {
        struct store_told told = {.kind = "refused"};
        element(params[1], i, told.handoff, sizeof told.handoff);
        element(params[2], i, told.event_id, sizeof told.event_id);
        say(s, &told);
    }
}

/* --- confirming --- */

static void confirm_begin(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)params;
    if (!store_unconfirmed(s))
        return;
    store_cell(answer, 0, "10:20:");
    store_cell(answer, 1, "30");
    answer->rows = 1;
}

static void confirm_ready(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)s, (void)params;
    store_cell(answer, 0, "t");
    answer->rows = 1;
}

static void confirm_page(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)params;
    for (size_t i = 0; i < s->handoffs.count; i++) {
        if (!s->handoffs.handoff[i].unconfirmed)
            continue;
        store_cell(answer, 0, s->handoffs.handoff[i].column[ID]);
        answer->rows++;
    }
}

static bool has_closed(const struct store *s, const char *rule, const char *uid)
{
    for (size_t i = 0; i < s->handoffs.count; i++)
        if (strcmp(s->handoffs.handoff[i].column[RULE], rule) == 0 &&
            strcmp(s->handoffs.handoff[i].column[CLOSING_UID], uid) == 0)
            return true;
    return false;
}

static void answer_closing(const struct store *s, const struct store_handoff *h, const char *types,
                           const struct store_row *row, struct store_answer *answer)
{
    char uid[40], data[64];
    const int64_t at = row->occurred_at + EPOCH_2000;
    event_uid_text(&row->uid, uid);
    if (row->partition < 0 || !strstr(types, row->type) ||
        at < strtoll(h->column[OCCURRED], NULL, 10) || has_closed(s, h->column[RULE], uid) ||
        answer->rows == STORE_ROWS)
        return;
    store_cell_number(answer, 0, STORE_CUSTOMER);
    store_cell(answer, 1, h->column[RULE]);
    store_cell_number(answer, 2, at);
    store_cell(answer, 3, uid);
    store_cell(answer, 4, row->event_id);
    store_cell(answer, 5, row->type);
    snprintf(data, sizeof data, "{\"deal\": %s}", row->deal);
    store_cell(answer, 6, data);
    answer->null[answer->rows][6] = row->deal[0] == 0;
    answer->rows++;
}

static void closings(struct store *s, const char *const *params, struct store_answer *answer)
{
    char rule[64], types[64];
    for (size_t i = 0; i < s->handoffs.count; i++) {
        const struct store_handoff *h = &s->handoffs.handoff[i];
        if (!holds(params[0], h->column[ID]) || !is_live(h))
            continue;
        for (size_t r = 0; r < count_of(params[1]); r++) {
            element(params[1], r, rule, sizeof rule);
            element(params[2], r, types, sizeof types);
            for (size_t e = 0; strcmp(rule, h->column[RULE]) == 0 && e < s->events.count; e++)
                answer_closing(s, h, types, &s->events.row[e], answer);
        }
    }
}

static void confirmed(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)answer;
    for (size_t i = 0; i < s->handoffs.count; i++) {
        struct store_handoff *h = &s->handoffs.handoff[i];
        if (!holds(params[0], h->column[ID]))
            continue;
        h->unconfirmed = false;
        snprintf(h->column[TOLD], sizeof h->column[0], "t");
    }
}

/* --- facts --- */

static void put_fact(struct store *s, const struct store_fact *fact)
{
    struct store_handoffs *all = &s->handoffs;
    for (size_t i = 0; i < all->fact_count; i++) {
        if (all->fact[i].key != fact->key)
            continue;
        if (all->fact[i].at < fact->at)
            all->fact[i] = *fact;
        return;
    }
    if (all->fact_count < STORE_FACTS)
        all->fact[all->fact_count++] = *fact;
    else
        store_note("more facts than the test's tables hold");
}

static void put_owners(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)answer;
    for (size_t i = 0; i < count_of(params[0]); i++) {
        struct store_fact fact = {.key = 1, .at = store_number(params[6], i)};
        for (int p = 0; p < 4; p++)
            fact.key = hash_element(fact.key, params[p], i);
        fact.said = hash_element(hash_element(0, params[4], i), params[7], i);
        put_fact(s, &fact);
    }
}

/* Each is its own key: the columns of a table take the latest whatever else is said. */
static void put_said(struct store *s, const char *const *params, uint64_t table, int columns)
{
    for (size_t i = 0; i < count_of(params[0]); i++) {
        struct store_fact fact = {.key = table};
        for (int p = 0; p < columns; p++)
            fact.key = hash_element(fact.key, params[p], i);
        put_fact(s, &fact);
    }
}

static void put_issues(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)answer;
    put_said(s, params, 2, 7);
}

static void put_promises(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)answer;
    put_said(s, params, 3, 5);
}

const struct store_statement store_handoff_statements[] = {
    {"(SELECT i.value FROM store.identities", 3, locate},
    {"x.rule = ANY ($3", STORE_COLUMNS, load},
    {"AND h.confirm_xid IS NOT NULL", STORE_COLUMNS, load_unconfirmed},
    {"y.customer_id = ANY ($2", 2, customers},
    {"SET confirm_xid = pg_current_xact_id()", 0, doubt},
    {"wants_first_seen", 5, circumstances},
    {"INSERT INTO store.handoffs", 0, open_new},
    {"closing_uid = u.closing_uid", 0, change},
    {"store.tell_handoffs", 1, tell},
    {"'throughline.handoff.refused'", 0, tell_refusal},
    {"pg_current_snapshot()", 2, confirm_begin},
    {"l.transactionid", 1, confirm_ready},
    {"pg_visible_in_snapshot", 1, confirm_page},
    {"string_to_array(u.types", 7, closings},
    {"SET confirm_xid = NULL", 0, confirmed},
    {"INSERT INTO store.owners", 0, put_owners},
    {"INSERT INTO store.issues", 0, put_issues},
    {"INSERT INTO store.promises", 0, put_promises},
};
const size_t store_handoff_statement_count =
    sizeof store_handoff_statements / sizeof *store_handoff_statements;

/* --- what must hold --- */

static bool on_timeline(const struct store *s, const char *uid)
{
    char text[40];
    for (size_t i = 0; i < s->events.count; i++) {
        event_uid_text(&s->events.row[i].uid, text);
        if (strcmp(text, uid) == 0)
            return true;
    }
    return false;
}

static bool has_event(const struct store *s, const char *event_id)
{
    for (size_t i = 0; i < s->events.count; i++)
        if (strcmp(s->events.row[i].event_id, event_id) == 0)
            return true;
    return false;
}

/* Whatever a handoff says happened to it is there, and the other way round. */
void store_check_handoffs(const struct store *s)
{
    const struct store_handoffs *all = &s->handoffs;
    for (size_t i = 0; i < all->count; i++) {
        const struct store_handoff *h = &all->handoff[i];
        if (h->opening_uid[0] && !on_timeline(s, h->opening_uid))
            store_note("a handoff without the event that opened it");
        if (h->column[CLOSING_UID][0] && !on_timeline(s, h->column[CLOSING_UID]))
            store_note("a handoff without the event that closed it");
    }
    size_t elsewhere = 0;
    for (size_t i = 0; i < all->told_count; i++)
        elsewhere += all->told[i].event_id[0] && !has_event(s, all->told[i].event_id);
    if (elsewhere > s->quarantine.count)
        store_note("a request was refused that is neither on the timeline nor in quarantine");
}

bool store_unconfirmed(const struct store *store)
{
    for (size_t i = 0; i < store->handoffs.count; i++)
        if (store->handoffs.handoff[i].unconfirmed)
            return true;
    return false;
}

bool store_handoff_is(const struct store *store, const char *id, const char *state,
                      const char *kind)
{
    const struct store_handoffs *all = &store->handoffs;
    bool there = false, said = false;
    for (size_t i = 0; i < all->count; i++)
        there = there || (strcmp(all->handoff[i].column[ID], id) == 0 &&
                          strcmp(all->handoff[i].column[STATE], state) == 0);
    for (size_t i = 0; i < all->told_count; i++)
        said =
            said || (strcmp(all->told[i].handoff, id) == 0 && strcmp(all->told[i].kind, kind) == 0);
    return there && said;
}

/* A sum, so that the order does not count. */
static uint64_t sum(const void *items, size_t count, size_t size)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += store_hash(0, (const char *)items + i * size, size);
    return all;
}

bool store_same_handoffs(const struct store *a, const struct store *b)
{
    const struct store_handoffs *x = &a->handoffs, *y = &b->handoffs;
    if (x->count != y->count || x->told_count != y->told_count || x->fact_count != y->fact_count)
        return false;
    for (size_t i = 0; i < x->count; i++) {
        const struct store_handoff *h = &x->handoff[i], *k = &y->handoff[i];
        for (int c = 0; c < STORE_COLUMNS; c++)
            if (strcmp(h->column[c], k->column[c]) != 0)
                return false;
        if (h->unconfirmed != k->unconfirmed)
            return false;
    }
    return sum(x->told, x->told_count, sizeof *x->told) ==
               sum(y->told, y->told_count, sizeof *y->told) &&
           sum(x->fact, x->fact_count, sizeof *x->fact) ==
               sum(y->fact, y->fact_count, sizeof *y->fact);
}
