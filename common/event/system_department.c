#include "common/event/system_department.h"

#include "common/event/system_events.h"

/* Sorted by name, as a department's types are. */
static struct event_type types[] = {
    {.name = TYPE_CUSTOMER_STALE, .summary = "Silent for {/stale_after}"},
    {.name = TYPE_HANDOFF_CLOSED, .summary = "Handoff to {/to} {/state}: {/ask}"},
    {.name = TYPE_HANDOFF_OPENED, .summary = "Handoff to {/to}: {/ask}"},
    {.name = TYPE_HANDOFF_OVERDUE, .summary = "Handoff to {/to} overdue: {/ask}"},
    {.name = TYPE_HANDOFF_UPDATED, .summary = "Handoff to {/to} {/state}: {/ask}"},
    {.name = TYPE_ISSUE_UNTOLD, .summary = "Customer not told: {/issue/summary}"},
};

static const struct department department = {
    .name = SYSTEM_NAME,
    .types = types,
    .type_count = sizeof types / sizeof *types,
};

const struct department *system_department(void)
{
    return &department;
}
