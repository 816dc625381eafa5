#include "services/aggregator/batch_apply.h"

#include <stdlib.h>

#include "common/base/retry.h"
#include "common/base/stop.h"
#include "services/aggregator/facts.h"
#include "services/aggregator/handoff_metrics.h"
#include "services/aggregator/handoffs.h"
#include "services/aggregator/identities.h"
#include "services/aggregator/offsets.h"
#include "services/aggregator/quarantine.h"

#define TOUCHED_LIMIT 1024 /* partitions of one writer */
#define TRIES         10   /* of a batch that meets deadlocks */
#define CAREFUL_RUN   16   /* batches that go the careful way after one that had to */

struct touched {
    struct partition *partition[TOUCHED_LIMIT];
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    const struct partition *x = *(struct partition *const *)a, *y = *(struct partition *const *)b;
    int order = strcmp(x->topic, y->topic);
    return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

static void collect(struct touched *touched, struct partition *partitions, size_t count)
{
    touched->count = 0;
    for (size_t i = 0; i < count && touched->count < TOUCHED_LIMIT; i++)
        if (partitions[i].next != partitions[i].committed)
            touched->partition[touched->count++] = &partitions[i];
    qsort(touched->partition, touched->count, sizeof *touched->partition, by_name);
}

/* No partition holds the row: check_violation of the partitioned table. */
static bool month_missing(const struct pg *pg)
{
    return strcmp(pg_sqlstate(pg), "23514") == 0;
}

static int write_all(struct batch_apply *apply, struct batch *batch, const struct touched *touched,
                     bool carefully, int64_t *epoch)
{
    struct pg *pg = apply->pg;
    int rc = offsets_begin(pg, touched->partition, touched->count, carefully, epoch);
    if (rc != 0)
        return rc;
    if (*epoch != apply->epoch) { /* what was remembered of identities may be wrong */
        identity_cache_clear(apply->cache);
        apply->epoch = *epoch;
    }
    rc = carefully ? events_stage(pg, batch) : 0;
    if (rc == 0)
        rc = identities_resolve(pg, batch, apply->cache);
    if (rc == 0)
        rc = carefully ? events_put_staged(pg, batch) : events_copy(pg, batch);
    if (rc == 0)
        rc = facts_put(pg, batch);
    if (rc == 0)
        rc = handoffs_apply(pg, apply->rules, apply->vocabulary, batch);
    if (rc == 0)
        rc = quarantine_put(pg, batch, carefully, apply->quarantine_limit);
    if (rc == 0 && carefully)
        rc = offsets_count(pg, touched->partition, touched->count);
    return rc;
}

static int transact(struct batch_apply *apply, struct batch *batch, const struct touched *touched,
                    bool carefully)
{
    struct pg *pg = apply->pg;
    int64_t epoch = 0;
    int rc = events_make_months(pg, batch, apply->months);
    if (rc == 0)
        rc = handoffs_locate(pg, batch);
    if (rc == 0)
        rc = events_prepare(batch);
    if (rc == 0)
        rc = pg_script(pg, "BEGIN");
    if (rc != 0)
        return rc;
    handoff_metrics_begin();
    rc = write_all(apply, batch, touched, carefully, &epoch);
    if (rc == 0) {
        rc = pg_script(pg, "COMMIT");
        if (rc == 0)
            handoff_metrics_committed();
        return rc;
    }
    /* What went wrong first decides what is done next; SQLSTATE stays with it. */
    if (!pg_broken(pg)) {
        int rolled_back = pg_script(pg, "ROLLBACK");
        if (rolled_back != 0)
            return rolled_back;
    }
    return rc;
}

/* One time through, the fast way and, where rows stand in its way, the careful way. */
static int apply_once(struct batch_apply *apply, struct batch *batch, const struct touched *touched)
{
    if (apply->careful == 0) {
        int rc = transact(apply, batch, touched, false);
        if (rc != ERR_INVALID || month_missing(apply->pg))
            return rc;
        apply->careful = CAREFUL_RUN;
    }
    int rc = transact(apply, batch, touched, true);
    if (rc == 0)
        apply->careful--;
    return rc;
}

/* Deadlock and serialization failure: the server has undone the batch and bids us try again. A
 * missing month was dropped by retention while we thought it there. Overtaken: what it repeats is
 * there to be seen now. */
static bool worth_another_try(struct batch_apply *apply, const struct batch *batch, int rc)
{
    /* Of other codes SQLSTATE says nothing: it stays from an earlier failure. */
    bool missing = rc == ERR_INVALID && month_missing(apply->pg);
    if (missing)
        months_forget(apply->months);
    return missing || (rc == ERR_BUSY && !pg_broken(apply->pg) &&
                       (batch->overtaken || strncmp(pg_sqlstate(apply->pg), "40", 2) == 0));
}

static void settle(struct batch_apply *apply, const struct batch *batch,
                   const struct touched *touched, struct books *sum)
{
    identities_remember(batch, apply->cache);
    for (size_t i = 0; i < touched->count; i++) {
        struct partition *p = touched->partition[i];
        sum->on_timeline += p->books.on_timeline;
        sum->duplicates += p->books.duplicates;
        sum->quarantined += p->books.quarantined;
        sum->void_ += p->books.void_;
        p->committed = p->next;
        p->books = (struct books){0};
    }
}

int batch_apply(struct batch_apply *apply, struct batch *batch, struct partition *partitions,
                size_t partition_count, struct books *sum)
{
    struct touched touched;
    collect(&touched, partitions, partition_count);
    if (touched.count == 0)
        return 0;
    struct retry retry;
    retry_init(&retry, 5, 500, TRIES);
    for (;;) {
        int rc = apply_once(apply, batch, &touched);
        if (rc == 0) {
            settle(apply, batch, &touched, sum);
            return 0;
        }
        int wait_ms = worth_another_try(apply, batch, rc) ? retry_next_ms(&retry) : -1;
        if (wait_ms < 0)
            return rc;
        if (stop_wait(wait_ms))
            return ERR_STOPPED;
    }
}
