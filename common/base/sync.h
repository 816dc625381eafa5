/* A lock, and a condition that is waited for until a moment of clock_monotonic_after: a step of the
 * wall clock moves no deadline. */
#ifndef COMMON_BASE_SYNC_H
#define COMMON_BASE_SYNC_H

#include <pthread.h>

#include "common/base/error.h"

/* Both, or neither and ERR_MEMORY. The caller destroys them. */
int sync_init(pthread_mutex_t *lock, pthread_cond_t *changed) CHECKED;

#endif
