/*
 * A lease: what one aggregator at a time does, and nobody else (rows of store.leases: the relay of
 * the outbox, the watch). It is held by a database session for a time that is renewed; all times
 * are the server's. Who does not renew it, because it is frozen or cut off, is ended by a
 * successor; who is gone is succeeded at once.
 *
 * The fence: whatever a holder writes it writes in a transaction that begins with store.lease_keep,
 * which fails with ERR_CONFLICT where somebody else has taken the lease. Only what may be done
 * twice goes without: handoff_confirm.h, whose rows are locked, and found confirmed by whoever
 * comes second. One thread a lease.
 */
#ifndef SERVICES_AGGREGATOR_LEASE_H
#define SERVICES_AGGREGATOR_LEASE_H

#include "common/metrics.h"
#include "common/pg/pg.h"

#define LEASE_RELAY "relay"
#define LEASE_WATCH "watch"

struct lease {
    struct pg *pg;
    const char *name;
    char ms[24]; /* how long it is held, as a parameter */
    int64_t lease_ms;
    int64_t asking_ms;   /* when the statement under way was sent */
    int64_t asked_ms;    /* when it was last renewed, at the earliest (monotonic) */
    struct metric *held; /* 1 while it is ours */
};

/* `name` is static. */
void lease_init(struct lease *lease, const char *name, int64_t lease_ms);

/* By the connection lease->pg. 0 and *taken: it is ours; 0 alone: it is somebody else's, ask again
 * later. */
int lease_take(struct lease *lease, bool *taken) CHECKED;

/* Renews it, when a third of its time has passed. ERR_CONFLICT (logged): it is ours no more. */
int lease_keep(struct lease *lease) CHECKED;

/* Around a statement of the holder's that renews it itself: before it is sent; its answer, which is
 * handed through, logged where the lease was lost. */
void lease_asks(struct lease *lease);
int lease_answered(struct lease *lease, int rc) CHECKED;

/* By our own clock: has nobody been able to take it since we renewed it? What acts outside the
 * database asks this at the last moment. */
bool lease_is_ours(const struct lease *lease);

/* At a clean end. Whatever fails, it runs out by itself. */
void lease_give_back(struct lease *lease);

#endif
