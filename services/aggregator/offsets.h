/*
 * The fence: who may write a partition, and how far it has been brought. Rows of
 * store.consumer_offsets; the rules are in docs/architecture.md, "Take-over".
 */
#ifndef SERVICES_AGGREGATOR_OFFSETS_H
#define SERVICES_AGGREGATOR_OFFSETS_H

#include "common/pg/pg.h"
#include "services/aggregator/batch.h"

/* Takes a partition over, in a transaction of its own: generation + 1, this
 * connection as the holder. A predecessor in the middle of a batch is waited for
 * `lock_timeout_ms`, then its backend is ended. `low_watermark` is where a
 * partition begins that was never read (-1: not known, ERR_BUSY then). Fills generation, committed
 * and next. */
int offsets_take_over(struct pg *pg, struct partition *partition, int64_t low_watermark,
                      int64_t lock_timeout_ms) CHECKED;

/* Are these partitions still ours, all of them? ERR_CONFLICT (logged) when one is not. */
int offsets_hold(struct pg *pg, struct partition *partitions, size_t count) CHECKED;

/* Remembers that a partition is not read any further, and why, for people to see. */
int offsets_mark_stopped(struct pg *pg, const struct partition *partition,
                         const char *reason) CHECKED;

/* Clears the holder of partitions whose generation is still ours. */
int offsets_release(struct pg *pg, const struct partition *partitions, size_t count) CHECKED;

/* The first statement of a batch's transaction: moves every partition that the
 * batch touches, or ERR_CONFLICT when one was taken over. With `count_later` the
 * books stay as they are until offsets_count. *epoch is the identities' epoch. */
int offsets_begin(struct pg *pg, struct partition *const *touched, size_t count, bool count_later,
                  int64_t *epoch) CHECKED;
int offsets_count(struct pg *pg, struct partition *const *touched, size_t count) CHECKED;

/* For what changes a partition's books without moving it (replay of a quarantined record): shares
 * the epoch and locks the row, as the first statement of its transaction. */
int offsets_lock(struct pg *pg, const struct partition *partition) CHECKED;

#endif
