#include "common/base/sync.h"

#include <time.h>

int sync_init(pthread_mutex_t *lock, pthread_cond_t *changed)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return ERR_MEMORY;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int rc = pthread_cond_init(changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (rc != 0)
        return ERR_MEMORY;
    if (pthread_mutex_init(lock, NULL) == 0)
        return 0;
    pthread_cond_destroy(changed);
    return ERR_MEMORY;
}
