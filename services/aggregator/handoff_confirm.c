#include "services/aggregator/handoff_confirm.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "services/aggregator/handoff_metrics.h"
#include "services/aggregator/handoff_work.h"
#include "sql.h"

#define TELL_MS   30000
#define PAGE_ROWS "100" /* locked together, so that writers wait but for a moment */

void handoff_confirmer_clear(struct handoff_confirmer *confirmer)
{
    free(confirmer->snapshot);
    free(confirmer->after);
    confirmer->snapshot = confirmer->after = NULL;
}

static int begin(struct handoff_confirmer *confirmer, struct pg *pg)
{
    struct pg_result *row;
    int rc = pg_query_prepared(pg, SQL_HANDOFFS_CONFIRM_BEGIN, NULL, 0, &row);
    if (rc != 0)
        return rc;
    if (pg_rows(row) > 0) {
        confirmer->snapshot = strdup(pg_text(row, 0, 0));
        confirmer->after = strdup(pg_text(row, 0, 1));
        confirmer->told_ms = clock_monotonic_ms();
        rc = confirmer->snapshot && confirmer->after ? 0 : ERR_MEMORY;
    }
    pg_result_free(row);
    if (rc != 0)
        handoff_confirmer_clear(confirmer);
    return rc;
}

/* Have all ended that were at work when it was begun? */
static int look(struct handoff_confirmer *confirmer, struct pg *pg, bool *ready)
{
    struct pg_result *row;
    const char *const params[] = {confirmer->after};
    int rc = pg_query_prepared(pg, SQL_HANDOFFS_CONFIRM_READY, params, 1, &row);
    if (rc != 0)
        return rc;
    *ready = strcmp(pg_text(row, 0, 0), "t") == 0;
    pg_result_free(row);
    int64_t now = clock_monotonic_ms();
    if (!*ready && now - confirmer->told_ms >= TELL_MS) {
        confirmer->told_ms = now;
        log_warn("Handoffs are not told as long as a transaction of the writers' role is at work "
                 "that is so long",
                 LOG_INT("ms", TELL_MS));
    }
    return 0;
}

/* Handoffs that could be seen in the snapshot, as an array. */
static int list_page(const struct handoff_confirmer *confirmer, struct pg *pg, struct buffer *ids,
                     bool *any)
{
    const char *const params[] = {confirmer->snapshot, PAGE_ROWS};
    struct pg_result *rows;
    int rc = pg_query_prepared(pg, SQL_HANDOFFS_CONFIRM_PAGE, params, 2, &rows);
    if (rc != 0)
        return rc;
    for (int i = 0; i < pg_rows(rows); i++)
        pg_array_text(ids, pg_span(rows, i, 0));
    pg_array_end(ids);
    *any = pg_rows(rows) > 0;
    pg_result_free(rows);
    return ids->failed ? ERR_MEMORY : 0;
}

static int transact(struct handoff_work *work, const struct buffer *ids, const char *snapshot)
{
    int rc = pg_script(work->pg, "BEGIN");
    if (rc != 0)
        return rc;
    handoff_metrics_begin();
    rc = handoff_load_unconfirmed(work, ids, snapshot);
    if (rc == 0 && work->count > 0) {
        handoff_sort_closings(work->closing, work->closing_count);
        handoff_fold_closings(work->handoff, work->count, work->closing, work->closing_count);
        rc = handoff_write_confirmed(work);
    }
    if (rc == 0) {
        rc = pg_script(work->pg, "COMMIT");
        if (rc == 0)
            handoff_metrics_committed();
        return rc;
    }
    if (!pg_broken(work->pg) && pg_script(work->pg, "ROLLBACK") != 0)
        log_debug("A rollback failed; the server does it");
    return rc;
}

/* *more: there may be others. The timeline is looked at before any handoff is locked: writers that
 * close one need not wait for that. */
static int confirm_page(const struct handoff_confirmer *confirmer, struct pg *pg, bool *more)
{
    struct handoff_work work;
    struct buffer ids;
    buffer_init(&ids, HANDOFF_ARRAY_LIMIT);
    handoff_work_init(&work, pg, confirmer->rules);
    int rc = list_page(confirmer, pg, &ids, more);
    if (rc == 0 && *more)
        rc = handoff_load_closings(&work, &ids);
    if (rc == 0 && *more)
        rc = transact(&work, &ids, confirmer->snapshot);
    handoff_work_free(&work);
    buffer_free(&ids);
    return rc;
}

/* Another has changed the same rows, or has closed one of its handoffs by the same event (unique
 * index handoffs_closing): the next step looks anew. */
static bool passes(const struct pg *pg, int rc)
{
    return !pg_broken(pg) && ((rc == ERR_BUSY && strncmp(pg_sqlstate(pg), "40", 2) == 0) ||
                              (rc == ERR_INVALID && strcmp(pg_sqlstate(pg), "23505") == 0));
}

int handoff_confirm(struct handoff_confirmer *confirmer, struct pg *pg, bool *put)
{
    *put = false;
    bool ready = false, more = false;
    int rc = 0;
    if (!confirmer->snapshot)
        rc = begin(confirmer, pg);
    if (rc == 0 && confirmer->snapshot)
        rc = look(confirmer, pg, &ready);
    if (rc != 0 || !ready)
        return rc;
    rc = confirm_page(confirmer, pg, &more);
    if (passes(pg, rc))
        return 0;
    if (rc != 0 || !more)
        handoff_confirmer_clear(confirmer);
    *put = rc == 0 && more;
    return rc;
}
