/*
 * A duty: a thread for what one aggregator at a time does. It waits for its lease, with a database
 * connection of its own, and works as long as it holds it; what fails is let go, and begun anew
 * after a while, for ever. The database's trouble is told once, with the writers' (database.h).
 */
#ifndef SERVICES_AGGREGATOR_DUTY_H
#define SERVICES_AGGREGATOR_DUTY_H

#include "common/base/config.h"
#include "services/aggregator/lease.h"

/* Where writers have their numbers for database.h: 0 to WRITERS_LIMIT - 1. */
#define WRITERS_LIMIT 62
#define DUTY_RELAY    62
#define DUTY_WATCH    63

struct duty_work {
    const char *lease; /* LEASE_… */
    int number;        /* DUTY_… */
    void *context;
    /* Works while the lease is held. 0 when stop was requested, else what went wrong;
     * ERR_CONFLICT: the lease was lost. Lets go of all it has before it returns. */
    int (*run)(void *context, struct lease *lease);
};

struct duty;

/* `work` is copied; its context and `config` must outlive the duty. */
int duty_start(const struct config *config, const struct duty_work *work,
               struct duty **out) CHECKED;

/* As writer_join. */
int duty_join(struct duty *duty, int64_t deadline) CHECKED;

#endif
