#include "services/aggregator/offsets.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "sql.h"

#define ARRAY_LIMIT                 ((size_t)1024 * 1024)
#define SQLSTATE_LOCK_NOT_AVAILABLE "55P03"
/* How often a holder's backend is ended before the next round starts over. */
#define TAKE_OVER_TRIES 3

static int try_take_over(struct pg *pg, struct partition *partition, int64_t low_watermark,
                         int64_t lock_timeout_ms)
{
    char number[16], low[24], timeout[24];
    snprintf(number, sizeof number, "%d", partition->partition);
    snprintf(low, sizeof low, "%lld", (long long)low_watermark);
    snprintf(timeout, sizeof timeout, "%lld", (long long)lock_timeout_ms);
    struct pg_result *row;
    const char *const params[] = {partition->topic, number, low, timeout};
    int rc = pg_query_prepared(pg, SQL_OFFSETS_TAKE_OVER, params, 4, &row);
    if (rc != 0)
        return rc;
    bool known = !pg_is_null(row, 0, 1);
    partition->generation = pg_int(row, 0, 0);
    partition->committed = pg_int(row, 0, 1);
    partition->next = partition->committed;
    partition->books = (struct books){0};
    partition->stopped = false;
    pg_result_free(row);
    if (known)
        return 0;
    log_error("Kafka does not tell where a partition begins that was never read",
              LOG_TEXT("topic", partition->topic), LOG_INT("partition", partition->partition));
    return ERR_BUSY;
}

static int end_holder(struct pg *pg, const struct partition *partition)
{
    char number[16];
    snprintf(number, sizeof number, "%d", partition->partition);
    const char *const params[] = {partition->topic, number};
    struct pg_result *row;
    int rc = pg_query_prepared(pg, SQL_OFFSETS_END_HOLDER, params, 2, &row);
    if (rc != 0)
        return rc;
    log_warn("Ended the database session of a writer that did not let go of a partition",
             LOG_TEXT("topic", partition->topic), LOG_INT("partition", partition->partition),
             LOG_TEXT("ended", pg_text(row, 0, 0)));
    pg_result_free(row);
    return 0;
}

int offsets_take_over(struct pg *pg, struct partition *partition, int64_t low_watermark,
                      int64_t lock_timeout_ms)
{
    int rc = ERR_BUSY;
    for (int i = 0; i < TAKE_OVER_TRIES; i++) {
        rc = try_take_over(pg, partition, low_watermark, lock_timeout_ms);
        /* Of other codes SQLSTATE says nothing: it stays from an earlier failure. */
        if (rc != ERR_BUSY || strcmp(pg_sqlstate(pg), SQLSTATE_LOCK_NOT_AVAILABLE) != 0)
            return rc;
        int ended = end_holder(pg, partition);
        if (ended != 0)
            return ended;
    }
    return rc;
}

/* The arrays that describe a batch's partitions, one element each. */
enum column {
    TOPIC,
    PARTITION,
    GENERATION,
    EXPECTED,
    NEXT,
    TIMELINE,
    DUPLICATE,
    QUARANTINED,
    VOID,
    COLUMNS
};

struct arrays {
    struct buffer column[COLUMNS];
};

static void arrays_free(struct arrays *arrays)
{
    for (int i = 0; i < COLUMNS; i++)
        buffer_free(&arrays->column[i]);
}

static void arrays_add(struct arrays *arrays, const struct partition *p, const struct books *books)
{
    const int64_t numbers[COLUMNS] = {
        [PARTITION] = p->partition,         [GENERATION] = p->generation,
        [EXPECTED] = p->committed,          [NEXT] = p->next,
        [TIMELINE] = books->on_timeline,    [DUPLICATE] = books->duplicates,
        [QUARANTINED] = books->quarantined, [VOID] = books->void_,
    };
    pg_array_text(&arrays->column[TOPIC], span_of(p->topic));
    for (int c = PARTITION; c < COLUMNS; c++)
        pg_array_int(&arrays->column[c], numbers[c]);
}

/* False without memory. */
static bool arrays_fill(struct arrays *arrays, struct partition *const *touched, size_t count,
                        bool count_later)
{
    static const struct books none;
    bool complete = true;
    for (int i = 0; i < COLUMNS; i++)
        buffer_init(&arrays->column[i], ARRAY_LIMIT);
    for (size_t i = 0; i < count; i++)
        arrays_add(arrays, touched[i], count_later ? &none : &touched[i]->books);
    for (int i = 0; i < COLUMNS; i++) {
        pg_array_end(&arrays->column[i]);
        complete = complete && !arrays->column[i].failed;
    }
    return complete;
}

static int run(struct pg *pg, const char *sql, struct partition *const *touched, size_t count,
               bool count_later, const enum column *columns, int column_count,
               struct pg_result **result)
{
    struct arrays arrays;
    int rc = ERR_MEMORY;
    if (arrays_fill(&arrays, touched, count, count_later)) {
        const char *params[COLUMNS];
        for (int i = 0; i < column_count; i++)
            params[i] = arrays.column[columns[i]].data;
        rc = pg_query_prepared(pg, sql, params, column_count, result);
    } else {
        log_error("No memory for the offsets of a batch");
    }
    arrays_free(&arrays);
    return rc;
}

int offsets_begin(struct pg *pg, struct partition *const *touched, size_t count, bool count_later,
                  int64_t *epoch)
{
    static const enum column columns[] = {TOPIC,    PARTITION, GENERATION,  EXPECTED, NEXT,
                                          TIMELINE, DUPLICATE, QUARANTINED, VOID};
    struct pg_result *row;
    int rc = run(pg, SQL_OFFSETS_BATCH_BEGIN, touched, count, count_later, columns, COLUMNS, &row);
    if (rc != 0)
        return rc;
    *epoch = pg_int(row, 0, 0);
    pg_result_free(row);
    return 0;
}

int offsets_count(struct pg *pg, struct partition *const *touched, size_t count)
{
    static const enum column columns[] = {TOPIC, PARTITION, TIMELINE, DUPLICATE, QUARANTINED, VOID};
    return run(pg, SQL_OFFSETS_BATCH_COUNT, touched, count, false, columns,
               (int)(sizeof columns / sizeof *columns), NULL);
}

int offsets_release(struct pg *pg, const struct partition *partitions, size_t count)
{
    static const enum column columns[] = {TOPIC, PARTITION, GENERATION};
    for (size_t i = 0; i < count; i++) {
        struct partition one = partitions[i];
        struct partition *const touched[] = {&one};
        int rc = run(pg, SQL_OFFSETS_RELEASE, touched, 1, true, columns, 3, NULL);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int offsets_hold(struct pg *pg, struct partition *partitions, size_t count)
{
    static const enum column columns[] = {TOPIC, PARTITION, GENERATION};
    if (count == 0)
        return 0;
    struct partition **all = calloc(count, sizeof *all);
    if (!all) {
        log_error("No memory for the offsets of a batch");
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++)
        all[i] = &partitions[i];
    struct pg_result *row = NULL;
    int rc = run(pg, SQL_OFFSETS_LOST, all, count, true, columns, 3, &row);
    free(all);
    if (rc == 0 && pg_rows(row) > 0) {
        log_warn("A partition was taken over, or sent elsewhere by hand",
                 LOG_TEXT("topic", pg_text(row, 0, 0)), LOG_INT("partition", pg_int(row, 0, 1)));
        rc = ERR_CONFLICT;
    }
    pg_result_free(row);
    return rc;
}

int offsets_mark_stopped(struct pg *pg, const struct partition *partition, const char *reason)
{
    char number[16], generation[24];
    snprintf(number, sizeof number, "%d", partition->partition);
    snprintf(generation, sizeof generation, "%lld", (long long)partition->generation);
    const char *const params[] = {partition->topic, number, generation, reason};
    return pg_query_prepared(pg, SQL_OFFSETS_MARK_STOPPED, params, 4, NULL);
}

int offsets_lock(struct pg *pg, const struct partition *partition)
{
    char number[16];
    snprintf(number, sizeof number, "%d", partition->partition);
    const char *const params[] = {partition->topic, number};
    return pg_query_prepared(pg, SQL_OFFSETS_LOCK, params, 2, NULL);
}
