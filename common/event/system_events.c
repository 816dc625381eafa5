#include "common/event/system_events.h"

#include <stddef.h>

static const char *const said[] = {TYPE_HANDOFF_OPENED,
                                   TYPE_HANDOFF_UPDATED,
                                   TYPE_HANDOFF_OVERDUE,
                                   TYPE_HANDOFF_CLOSED,
                                   TYPE_CUSTOMER_STALE,
                                   TYPE_ISSUE_UNTOLD,
                                   NULL};
static const char *const told[] = {TYPE_HANDOFF_ACCEPT,
                                   TYPE_HANDOFF_DECLINE,
                                   TYPE_HANDOFF_DONE,
                                   TYPE_HANDOFF_REASSIGN,
                                   TYPE_HANDOFF_DELIVERED,
                                   TYPE_HANDOFF_UNDELIVERABLE,
                                   NULL};

static bool is_among(struct span type, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (span_is(type, names[i]))
            return true;
    return false;
}

enum system_event system_event_of(struct span type)
{
    if (!span_starts_with(type, SYSTEM_NAME "."))
        return SYSTEM_NONE;
    if (is_among(type, said))
        return SYSTEM_SAYS;
    return is_among(type, told) ? SYSTEM_IS_TOLD : SYSTEM_NONE;
}

const char *const *system_events_said(void)
{
    return said;
}
