#include "common/base/snapshot.h"

#include <stddef.h>

void snapshot_init(struct snapshot *snapshot, void (*free)(struct snapshot *snapshot))
{
    atomic_init(&snapshot->holds, 1);
    snapshot->free = free;
}

void snapshot_release(struct snapshot *snapshot)
{
    if (snapshot && atomic_fetch_sub(&snapshot->holds, 1) == 1)
        snapshot->free(snapshot);
}

void snapshot_place_init(struct snapshot_place *place)
{
    *place = (struct snapshot_place){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void snapshot_put(struct snapshot_place *place, struct snapshot *fresh)
{
    pthread_mutex_lock(&place->lock);
    struct snapshot *old = place->current;
    place->current = fresh;
    pthread_mutex_unlock(&place->lock);
    snapshot_release(old);
}

struct snapshot *snapshot_take(struct snapshot_place *place)
{
    pthread_mutex_lock(&place->lock);
    struct snapshot *current = place->current;
    if (current)
        atomic_fetch_add(&current->holds, 1);
    pthread_mutex_unlock(&place->lock);
    return current;
}
