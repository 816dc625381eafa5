#include "services/aggregator/lease.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "sql.h"

void lease_init(struct lease *lease, const char *name, int64_t lease_ms)
{
    char label[40];
    *lease = (struct lease){.name = name, .lease_ms = lease_ms};
    snprintf(lease->ms, sizeof lease->ms, "%lld", (long long)lease_ms);
    snprintf(label, sizeof label, "lease=\"%s\"", name);
    lease->held = metric_gauge("throughline_aggregator_lease_held", label,
                               "1 while this aggregator is the one that relays or watches.");
}

void lease_asks(struct lease *lease)
{
    lease->asking_ms = clock_monotonic_ms();
}

int lease_answered(struct lease *lease, int rc)
{
    if (rc == 0)
        lease->asked_ms = lease->asking_ms; /* the server renewed it later than that */
    if (rc == ERR_CONFLICT)
        log_warn("Another aggregator has taken a lease of ours", LOG_TEXT("lease", lease->name));
    return rc;
}

int lease_take(struct lease *lease, bool *taken)
{
    const char *const params[] = {lease->name, lease->ms};
    struct pg_result *row;
    *taken = false;
    lease_asks(lease);
    int rc = pg_query_prepared(lease->pg, SQL_LEASE_TAKE, params, 2, &row);
    if (rc != 0)
        return rc;
    *taken = strcmp(pg_text(row, 0, 0), "taken") == 0;
    bool ended = strcmp(pg_text(row, 0, 0), "ended") == 0;
    pg_result_free(row);
    if (ended)
        log_warn("Ended the database session of an aggregator that let its lease run out",
                 LOG_TEXT("lease", lease->name));
    if (!*taken)
        return 0;
    metric_set(lease->held, 1);
    return lease_answered(lease, 0);
}

int lease_keep(struct lease *lease)
{
    const char *const params[] = {lease->name, lease->ms};
    if (clock_monotonic_ms() - lease->asked_ms < lease->lease_ms / 3)
        return 0;
    lease_asks(lease);
    return lease_answered(lease, pg_query_prepared(lease->pg, SQL_LEASE_KEEP, params, 2, NULL));
}

bool lease_is_ours(const struct lease *lease)
{
    return clock_monotonic_ms() - lease->asked_ms < lease->lease_ms;
}

void lease_give_back(struct lease *lease)
{
    const char *const params[] = {lease->name};
    metric_set(lease->held, 0);
    if (pg_broken(lease->pg))
        return;
    int rc = pg_query_prepared(lease->pg, SQL_LEASE_RELEASE, params, 1, NULL);
    if (rc != 0)
        log_debug("A lease could not be given back", LOG_TEXT("lease", lease->name),
                  LOG_TEXT("reason", error_name(rc)));
}
