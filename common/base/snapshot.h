/*
 * A value that many threads read while one replaces it: whoever takes it goes on with what it took,
 * until it lets go; the value is freed with its last hold. For what is read from the
 * configuration: what has begun by old rules ends by old rules.
 *
 * A snapshot is the first member of the struct that is shared, so that a pointer to the one leads
 * to the other. Never changed once it has been put into its place. Thread-safe.
 */
#ifndef COMMON_BASE_SNAPSHOT_H
#define COMMON_BASE_SNAPSHOT_H

#include <pthread.h>
#include <stdatomic.h>

struct snapshot {
    atomic_uint holds;
    void (*free)(struct snapshot *snapshot); /* on the thread that lets go last */
};

struct snapshot_place {
    pthread_mutex_t lock; /* for `current`, never held for longer than it takes to take it */
    struct snapshot *current;
};

/* One hold, the caller's. */
void snapshot_init(struct snapshot *snapshot, void (*free)(struct snapshot *snapshot));

/* Lets go of one hold. NULL is fine. */
void snapshot_release(struct snapshot *snapshot);

/* An empty place. */
void snapshot_place_init(struct snapshot_place *place);

/* Puts `fresh` in, with the caller's hold on it, and lets go of what was there. NULL empties the
 * place. */
void snapshot_put(struct snapshot_place *place, struct snapshot *fresh);

/* What is there now, to be released. NULL: the place is empty. */
struct snapshot *snapshot_take(struct snapshot_place *place);

#endif
