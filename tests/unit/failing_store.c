#include "tests/unit/failing_statements.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store committed;
static const char *breach;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

uint64_t store_hash(uint64_t seed, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void store_note(const char *what)
{
    if (!breach)
        breach = what;
}

/* --- parameters --- */

bool store_element(const char **at, char *out, size_t size)
{
    const char *p = *at;
    size_t len = 0;
    if (*p == '{' || *p == ',')
        p++;
    if (*p == '}' || *p == '\0')
        return false;
    bool quoted = *p == '"';
    p += quoted;
    for (; *p && (quoted ? *p != '"' : *p != ',' && *p != '}'); p++) {
        if (*p == '\\')
            p++;
        if (len + 1 < size)
            out[len++] = *p;
    }
    out[len] = '\0';
    *at = p + quoted;
    return true;
}

int64_t store_number(const char *array, size_t index)
{
    char text[64] = "";
    for (size_t i = 0; i <= index; i++)
        if (!store_element(&array, text, sizeof text))
            return INT64_MIN;
    return strtoll(text, NULL, 10);
}

static struct store_partition *partition_of(struct store *store, int64_t number_of)
{
    static struct store_partition unknown;
    if (number_of >= 0 && number_of < STORE_PARTITIONS)
        return &store->partition[number_of];
    store_note("a partition that nobody has");
    return &unknown;
}

/* --- the timeline --- */

const struct store_row *store_find(const struct store_rows *rows, uint64_t key)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->row[i].key == key)
            return &rows->row[i];
    return NULL;
}

void store_add(struct store_rows *rows, const struct store_row *row)
{
    if (rows->count < STORE_ROWS)
        rows->row[rows->count++] = *row;
    else
        store_note("more rows than the test's tables hold");
}

/* --- statements --- */

/* Cells keep what they have: each row's are set, or NULL. */
void store_clear(struct store_answer *answer, const char *sqlstate)
{
    answer->sqlstate = sqlstate;
    answer->tag[0] = '\0';
    answer->copy = false;
    answer->columns = answer->rows = 0;
    memset(answer->null, 0, sizeof answer->null);
}

void store_cell(struct store_answer *answer, int column, const char *text)
{
    snprintf(answer->cell[answer->rows][column], sizeof answer->cell[0][0], "%s", text);
}

void store_cell_number(struct store_answer *answer, int column, int64_t value)
{
    snprintf(answer->cell[answer->rows][column], sizeof answer->cell[0][0], "%lld",
             (long long)value);
}

static void one_number(struct store_answer *answer, int64_t value)
{
    store_cell_number(answer, 0, value);
    answer->rows = 1;
}

static void take_over(struct store *s, const char *const *params, struct store_answer *answer)
{
    struct store_partition *p = partition_of(s, strtoll(params[1], NULL, 10));
    p->generation++;
    store_cell_number(answer, 0, p->generation);
    store_cell_number(answer, 1, p->next);
    answer->rows = 1;
}

enum begin { NUMBERS = 1, GENERATIONS, EXPECTED, NEXT, TIMELINE, DUPLICATES, QUARANTINED, VOIDED };

static void batch_begin(struct store *s, const char *const *params, struct store_answer *answer)
{
    for (size_t i = 0; store_number(params[NUMBERS], i) != INT64_MIN; i++) {
        struct store_partition *p = partition_of(s, store_number(params[NUMBERS], i));
        if (p->generation != store_number(params[GENERATIONS], i) ||
            p->next != store_number(params[EXPECTED], i)) {
            answer->sqlstate = "TL001";
            return;
        }
        p->next = store_number(params[NEXT], i);
        p->timeline += store_number(params[TIMELINE], i);
        p->duplicates += store_number(params[DUPLICATES], i);
        p->quarantined += store_number(params[QUARANTINED], i);
        p->voided += store_number(params[VOIDED], i);
    }
    one_number(answer, 1);
}

static void batch_count(struct store *s, const char *const *params, struct store_answer *answer)
{
    for (size_t i = 0; store_number(params[1], i) != INT64_MIN; i++) {
        struct store_partition *p = partition_of(s, store_number(params[1], i));
        p->timeline += store_number(params[2], i);
        p->duplicates += store_number(params[3], i);
        p->quarantined += store_number(params[4], i);
        p->voided += store_number(params[5], i);
    }
    one_number(answer, 1);
}

/* An identity's id follows from what it is, so that each run gives the same rows. */
static void resolve(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)s;
    const char *kinds = params[0], *values = params[1];
    char kind[64], value[128];
    while (store_element(&kinds, kind, sizeof kind) &&
           store_element(&values, value, sizeof value) && answer->rows < STORE_ROWS) {
        uint64_t id = store_hash(store_hash(0, kind, strlen(kind)), value, strlen(value)) >> 16;
        store_cell_number(answer, 0, answer->rows + 1);
        store_cell_number(answer, 1, (int64_t)id);
        store_cell_number(answer, 2, STORE_CUSTOMER);
        store_cell(answer, 3, strncmp(value, "cat@", 4) == 0 ? "t" : "f"); /* merged */
        answer->rows++;
    }
}

static void put_staged(struct store *s, const char *const *params, struct store_answer *answer)
{
    int put = 0;
    for (size_t i = 0; i < s->staged.count; i++) {
        struct store_row row = s->staged.row[i];
        if (store_find(&s->events, row.key))
            continue;
        row.identity = store_number(params[0], (size_t)row.identity);
        if (row.account >= 0)
            row.account = store_number(params[0], (size_t)row.account);
        store_add(&s->events, &row);
        put++;
    }
    snprintf(answer->tag, sizeof answer->tag, "INSERT 0 %d", put);
}

static void staged_there(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)params;
    for (size_t i = 0; i < s->staged.count; i++) {
        const struct store_row *row = &s->staged.row[i], *there = store_find(&s->events, row->key);
        if (!there)
            continue;
        store_cell(answer, 0, "events.sales");
        store_cell_number(answer, 1, row->partition);
        store_cell_number(answer, 2, row->offset);
        store_cell(answer, 3, there->event == row->event ? "t" : "f");
        answer->rows++;
    }
}

static void put_quarantine(struct store *s, const char *const *params, struct store_answer *answer)
{
    struct store_row row = {.partition = strtoll(params[1], NULL, 10),
                            .offset = strtoll(params[2], NULL, 10)};
    for (int i = 3; i < 8; i++)
        if (i != 4) /* the detail tells of what went wrong before, too */
            row.bytes = params[i] ? store_hash(row.bytes, params[i], strlen(params[i]))
                                  : store_hash(row.bytes, "NULL", 5);
    for (size_t i = 0; i < s->quarantine.count; i++)
        if (s->quarantine.row[i].partition == row.partition &&
            s->quarantine.row[i].offset == row.offset)
            answer->sqlstate = "23505";
    store_add(&s->quarantine, &row);
    snprintf(answer->tag, sizeof answer->tag, "INSERT 0 1");
}

/* Where the record is there it stays as it is. */
static void put_quarantine_again(struct store *s, const char *const *params,
                                 struct store_answer *answer)
{
    const size_t before = s->quarantine.count;
    put_quarantine(s, params, answer);
    if (!answer->sqlstate)
        return;
    s->quarantine.count = before;
    store_clear(answer, NULL);
    snprintf(answer->tag, sizeof answer->tag, "INSERT 0 0");
}

static void count_quarantine(struct store *s, const char *const *params,
                             struct store_answer *answer)
{
    (void)params;
    one_number(answer, (int64_t)s->quarantine.count);
}

static void say_true(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)s, (void)params;
    store_cell(answer, 0, "t");
    answer->rows = 1;
}

static void say_newest(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)s, (void)params;
    one_number(answer, 1000000);
}

static void nothing(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)s, (void)params, (void)answer;
}

static void empty_staging(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)params, (void)answer;
    s->staged.count = 0;
}

static void begin_copy(struct store *s, const char *const *params, struct store_answer *answer)
{
    (void)s, (void)params;
    answer->copy = true;
}

static const struct store_statement statements[] = {
    {"store.take_over", 2, take_over},
    {"store.batch_begin", 1, batch_begin},
    {"store.batch_count", 1, batch_count},
    {"store.resolve_identities", 4, resolve},
    {"store.attach_identities", 1, say_true},
    {"store.make_month", 1, say_true},
    {"store.release", 1, say_true},
    {"store.end_holder", 1, say_true},
    {"store.mark_stopped", 1, say_true},
    {"o.generation <> u.generation", 2, nothing},
    {"INSERT INTO store.events (", 0, put_staged},
    {"FROM pg_temp.staged_events s", 4, staged_there},
    {"COPY store.events", 0, begin_copy},
    {"COPY pg_temp.staged_events", 0, begin_copy},
    {"CREATE TEMPORARY TABLE", 0, empty_staging},
    {"ON CONFLICT DO NOTHING", 0, put_quarantine_again},
    {"INSERT INTO store.quarantine", 0, put_quarantine},
    {"FROM store.quarantine WHERE", 1, count_quarantine},
    {"INSERT INTO store.event_types", 0, nothing},
    {"to_regclass", 1, say_true},
    {"max(version)", 1, say_newest},
    {"SELECT 1", 1, say_true},
    {"set_config(", 3, say_true},
    {"SET ", 0, nothing},
};

static const struct store_statement *find_statement(const char *sql)
{
    for (size_t i = 0; i < store_handoff_statement_count; i++)
        if (strstr(sql, store_handoff_statements[i].phrase))
            return &store_handoff_statements[i];
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (strstr(sql, statements[i].phrase))
            return &statements[i];
    return NULL;
}

int store_columns(const char *sql)
{
    const struct store_statement *statement = find_statement(sql);
    return statement ? statement->columns : -1;
}

/* --- transactions --- */

static void check(const struct store *s)
{
    for (int i = 0; i < STORE_PARTITIONS; i++) {
        const struct store_partition *p = &s->partition[i];
        int64_t events = 0, quarantined = 0;
        for (size_t r = 0; r < s->events.count; r++)
            events += s->events.row[r].partition == i;
        for (size_t r = 0; r < s->quarantine.count; r++)
            quarantined += s->quarantine.row[r].partition == i;
        for (size_t r = 0; r < s->events.count; r++)
            if (s->events.row[r].identity <= 0 || s->events.row[r].account == 0)
                store_note("a row without an identity");
        if (p->next != p->timeline + p->duplicates + p->quarantined + p->voided)
            store_note("a partition's offset is not what its books say");
        if (p->timeline != events || p->quarantined != quarantined)
            store_note("a partition's books do not say what was stored");
    }
    store_check_handoffs(s);
}

static void commit(struct store_session *session)
{
    session->working.staged.count = 0;
    committed = session->working;
    check(&committed);
}

static bool is(const char *sql, const char *word)
{
    return strncmp(sql, word, strlen(word)) == 0;
}

void store_fail(struct store_session *session, const char *sqlstate, struct store_answer *answer)
{
    store_clear(answer, sqlstate);
    session->aborted = session->in_transaction;
}

/* True when it was one of the words that rule a transaction. */
static bool rule(struct store_session *session, const char *sql, struct store_answer *answer)
{
    if (is(sql, "BEGIN")) {
        session->in_transaction = true;
        session->has_savepoint = false;
        session->working = committed;
    } else if (is(sql, "COMMIT")) {
        if (session->in_transaction && !session->aborted)
            commit(session);
        else
            sql = "ROLLBACK"; /* which is all that the tag says of it */
        session->in_transaction = session->aborted = false;
    } else if (is(sql, "ROLLBACK TO") && !session->has_savepoint) {
        store_fail(session, "3B001", answer);
        return true;
    } else if (is(sql, "ROLLBACK TO")) {
        session->working = session->savepoint;
        session->aborted = false;
    } else if (is(sql, "ROLLBACK")) {
        session->in_transaction = session->aborted = false;
    } else if (is(sql, "SAVEPOINT") && !session->aborted) {
        session->savepoint = session->working;
        session->has_savepoint = true;
    } else if (is(sql, "RELEASE") && !session->aborted) {
        session->has_savepoint = false; /* nobody has two */
    } else {
        return false;
    }
    snprintf(answer->tag, sizeof answer->tag, "%.*s", (int)strcspn(sql, " "), sql);
    return true;
}

static void finish(struct store_session *session, struct store_answer *answer)
{
    if (answer->sqlstate)
        session->aborted = session->in_transaction;
    else if (!session->in_transaction)
        commit(session);
}

void store_run(struct store_session *session, const char *sql, const char *const *params,
               struct store_answer *answer)
{
    const struct store_statement *statement = find_statement(sql);
    pthread_mutex_lock(&lock);
    store_clear(answer, NULL);
    if (rule(session, sql, answer)) {
        pthread_mutex_unlock(&lock);
        return;
    }
    if (!session->in_transaction)
        session->working = committed;
    if (session->aborted) {
        answer->sqlstate = "25P02";
    } else if (!statement) {
        store_note("a statement that the test's tables do not know");
        answer->sqlstate = "42601";
    } else {
        answer->columns = statement->columns;
        snprintf(answer->tag, sizeof answer->tag, statement->columns ? "SELECT 1" : "DONE");
        statement->run(&session->working, params, answer);
    }
    if (!answer->copy)
        finish(session, answer);
    pthread_mutex_unlock(&lock);
}

void store_copy(struct store_session *session, const char *sql, const char *bytes, size_t len,
                struct store_answer *answer)
{
    bool staged = strstr(sql, "staged_events") != NULL;
    struct store_rows *rows = staged ? &session->working.staged : &session->working.events;
    size_t count = 0;
    pthread_mutex_lock(&lock);
    store_clear(answer, store_read_copy(bytes, len, rows, !staged, &count));
    snprintf(answer->tag, sizeof answer->tag, "COPY %zu", count);
    finish(session, answer);
    pthread_mutex_unlock(&lock);
}

void store_leave(struct store_session *session)
{
    session->in_transaction = session->aborted = false;
}

struct store store_committed(void)
{
    pthread_mutex_lock(&lock);
    struct store copy = committed;
    pthread_mutex_unlock(&lock);
    return copy;
}

void store_reset(const struct store_row *rows, size_t count)
{
    pthread_mutex_lock(&lock);
    committed = (struct store){.events = {.count = 0}};
    for (size_t i = 0; i < count; i++)
        store_add(&committed.events, &rows[i]);
    breach = NULL;
    pthread_mutex_unlock(&lock);
}

void store_put_handoff(const struct store_handoff *handoff)
{
    pthread_mutex_lock(&lock);
    committed.handoffs.handoff[committed.handoffs.count++] = *handoff;
    pthread_mutex_unlock(&lock);
}

const char *store_breach(void)
{
    pthread_mutex_lock(&lock);
    const char *found = breach;
    pthread_mutex_unlock(&lock);
    return found;
}
