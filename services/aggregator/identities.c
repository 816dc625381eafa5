#include "services/aggregator/identities.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "sql.h"

#define ARRAY_LIMIT ((size_t)64 * 1024 * 1024)

/* The components whose customers are to be locked: two writers at once must not both open a
 * handoff that is to be the customer's first. */
static void mark_locked(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->identity_count; i++)
        batch->identity[i].locked = batch->identity[i].merged = false;
    for (size_t i = 0; batch->note_count > 0 && i < batch->unique_count; i++) {
        const struct batch_row *row = &batch->row[i];
        if (row->note != BATCH_NONE && batch->note[row->note].opens_first)
            batch->identity[batch_component(batch, row->identity)].locked = true;
    }
}

/* Which components the database must be asked about: those with an identity that the cache does
 * not know, those whose identities it knows under different customers, and those to lock. Of what
 * no row names that counts, it is asked nothing. */
static void look_up(struct batch *batch, struct identity_cache *cache)
{
    mark_locked(batch);
    for (uint32_t i = 0; i < batch->identity_count; i++) {
        struct batch_identity *identity = &batch->identity[i];
        struct cached_identity cached;
        bool found = identity->named && identity_cache_get(cache, identity->key, &cached);
        identity->known = found || !identity->named;
        identity->identity_id = found ? cached.identity_id : 0;
        identity->customer_id = found ? cached.customer_id : 0;
    }
    /* The root speaks for its component; a root has the lowest index, so it is seen first. */
    for (uint32_t i = 0; i < batch->identity_count; i++) {
        struct batch_identity *root = &batch->identity[batch_component(batch, i)];
        if (!batch->identity[i].known || batch->identity[i].customer_id != root->customer_id ||
            root->locked)
            root->known = false;
    }
    for (uint32_t i = 0; i < batch->identity_count; i++)
        batch->identity[i].known = batch->identity[batch_component(batch, i)].known;
}

struct question {
    struct buffer kinds, values, components, records, locked;
    uint32_t *asked; /* indexes of batch_identity, in the order of the arrays */
    size_t count;
};

static void question_free(struct question *question)
{
    buffer_free(&question->kinds);
    buffer_free(&question->values);
    buffer_free(&question->components);
    buffer_free(&question->records);
    buffer_free(&question->locked);
    free(question->asked);
}

static bool question_fill(struct question *question, struct batch *batch)
{
    buffer_init(&question->kinds, ARRAY_LIMIT);
    buffer_init(&question->values, ARRAY_LIMIT);
    buffer_init(&question->components, ARRAY_LIMIT);
    buffer_init(&question->records, ARRAY_LIMIT);
    buffer_init(&question->locked, ARRAY_LIMIT);
    question->count = 0;
    question->asked = calloc(batch->identity_count + 1, sizeof *question->asked);
    if (!question->asked)
        return false;
    for (uint32_t i = 0; i < batch->identity_count; i++) {
        const struct batch_identity *identity = &batch->identity[i];
        if (identity->known)
            continue;
        char record[320];
        int len = snprintf(record, sizeof record, "%s/%d/%lld", identity->partition->topic,
                           identity->partition->partition, (long long)identity->offset);
        pg_array_text(&question->kinds, identity->kind);
        pg_array_text(&question->values, identity->value);
        pg_array_int(&question->components, batch_component(batch, i));
        pg_array_text(&question->records, (struct span){record, (size_t)len});
        if (identity->locked) /* a root, which speaks for its component */
            pg_array_int(&question->locked, i);
        question->asked[question->count++] = i;
    }
    pg_array_end(&question->kinds);
    pg_array_end(&question->values);
    pg_array_end(&question->components);
    pg_array_end(&question->records);
    pg_array_end(&question->locked);
    return !question->kinds.failed && !question->values.failed && !question->components.failed &&
           !question->records.failed && !question->locked.failed;
}

static int take_answer(const struct question *question, struct batch *batch,
                       const struct pg_result *rows)
{
    for (int i = 0; i < pg_rows(rows); i++) {
        int64_t ordinal = pg_int(rows, i, 0);
        if (ordinal < 1 || (size_t)ordinal > question->count)
            continue;
        struct batch_identity *identity = &batch->identity[question->asked[ordinal - 1]];
        identity->identity_id = pg_int(rows, i, 1);
        identity->customer_id = pg_int(rows, i, 2);
        identity->merged = strcmp(pg_text(rows, i, 3), "t") == 0;
    }
    for (size_t i = 0; i < question->count; i++) {
        if (batch->identity[question->asked[i]].identity_id != 0)
            continue;
        log_error("The database did not resolve every identity of a batch",
                  LOG_INT("asked", question->count), LOG_INT("resolved", pg_rows(rows)));
        return ERR_IO;
    }
    return 0;
}

static int ask(struct pg *pg, struct batch *batch)
{
    struct question question;
    int rc = ERR_MEMORY;
    if (!question_fill(&question, batch)) {
        log_error("No memory for the identities of a batch");
    } else if (question.count == 0) {
        rc = 0;
    } else {
        const char *const params[] = {question.kinds.data, question.values.data,
                                      question.components.data, question.records.data,
                                      question.locked.data};
        struct pg_result *rows;
        rc = pg_query_prepared(pg, SQL_IDENTITIES_RESOLVE, params, 5, &rows);
        if (rc == 0) {
            rc = take_answer(&question, batch, rows);
            pg_result_free(rows);
        }
    }
    question_free(&question);
    return rc;
}

/* The cache's key of an attachment; no identity's key begins with a digit. */
static struct span attachment_key(const struct batch *batch, const struct batch_attachment *a,
                                  char *key, size_t size)
{
    int len =
        snprintf(key, size, "%lld %.*s=%.*s", (long long)batch->identity[a->anchor].identity_id,
                 SPAN_ARGS(a->kind), SPAN_ARGS(a->value));
    return (struct span){key, (size_t)len < size ? (size_t)len : size - 1};
}

static int attach(struct pg *pg, const struct batch *batch, struct identity_cache *cache)
{
    struct buffer anchors, kinds, values;
    buffer_init(&anchors, ARRAY_LIMIT);
    buffer_init(&kinds, ARRAY_LIMIT);
    buffer_init(&values, ARRAY_LIMIT);
    size_t count = 0;
    for (size_t i = 0; i < batch->attachment_count; i++) {
        const struct batch_attachment *a = &batch->attachment[i];
        char key[384];
        struct cached_identity unused;
        if (!a->named)
            continue;
        if (identity_cache_get(cache, attachment_key(batch, a, key, sizeof key), &unused))
            continue;
        pg_array_int(&anchors, batch->identity[a->anchor].identity_id);
        pg_array_text(&kinds, a->kind);
        pg_array_text(&values, a->value);
        count++;
    }
    pg_array_end(&anchors);
    pg_array_end(&kinds);
    pg_array_end(&values);
    int rc = 0;
    if (anchors.failed || kinds.failed || values.failed) {
        log_error("No memory for the attached identities of a batch");
        rc = ERR_MEMORY;
    } else if (count > 0) {
        const char *const params[] = {anchors.data, kinds.data, values.data};
        rc = pg_query_prepared(pg, SQL_IDENTITIES_ATTACH, params, 3, NULL);
    }
    buffer_free(&anchors);
    buffer_free(&kinds);
    buffer_free(&values);
    return rc;
}

int identities_resolve(struct pg *pg, struct batch *batch, struct identity_cache *cache)
{
    look_up(batch, cache);
    int rc = ask(pg, batch);
    if (rc == 0 && batch->attachment_count > 0)
        rc = attach(pg, batch, cache);
    return rc;
}

void identities_remember(const struct batch *batch, struct identity_cache *cache)
{
    for (size_t i = 0; i < batch->identity_count; i++) {
        const struct batch_identity *identity = &batch->identity[i];
        if (!identity->known) /* those not named count as known */
            identity_cache_put(
                cache, identity->key,
                (struct cached_identity){identity->identity_id, identity->customer_id});
    }
    for (size_t i = 0; i < batch->attachment_count; i++) {
        char key[384];
        if (!batch->attachment[i].named)
            continue;
        identity_cache_put(cache, attachment_key(batch, &batch->attachment[i], key, sizeof key),
                           (struct cached_identity){0, 0});
    }
}
