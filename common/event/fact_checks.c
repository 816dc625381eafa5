#include "common/event/fact_checks.h"

#include <stdio.h>

#include "common/event/event_text.h"
#include "common/event/event_time.h"
#include "common/json/decimal.h"

bool facts_name(struct span name)
{
    static const char *const names[EVENT_FACTS] = {"amount", "currency", "customer",
                                                   "facts",  "owner",    "summary"};
    for (size_t i = 0; i < EVENT_FACTS; i++)
        if (span_is(name, names[i]))
            return true;
    return false;
}

int facts_check_type(const struct admission *admission, const struct event *event,
                     const struct event_type **type, struct fault *fault)
{
    return department_type(admission->department, event->type, type, fault);
}

int facts_check_time(const struct admission *admission, const struct event *event,
                     int64_t *occurred_at, struct fault *fault)
{
    if (event_time_parse(event->time, occurred_at) != 0)
        return fault_set(fault, "/time", "must be an RFC 3339 date and time with its offset");
    if (*occurred_at < EVENT_TIME_EARLIEST_US)
        return fault_set(fault, "/time", "lies before 1970");
    if (*occurred_at > admission->now + EVENT_TIME_AHEAD_US)
        return fault_set(fault, "/time",
                         "lies more than 24 h in the future: time is when it happened");
    return 0;
}

int facts_owner(struct arena *arena, struct span text, const char *pointer, struct span *owner,
                struct fault *fault)
{
    if (event_text_trim(text).len > EVENT_OWNER_LIMIT)
        return fault_set(fault, pointer, "is longer than %d bytes", EVENT_OWNER_LIMIT);
    *owner = event_text_line(arena, text, EVENT_OWNER_LIMIT);
    if (!owner->ptr)
        return ERR_MEMORY;
    if (owner->len == 0)
        owner->ptr = NULL;
    return 0;
}

int facts_summary(struct arena *arena, struct span text, struct span *summary)
{
    *summary = event_text_line(arena, text, EVENT_SUMMARY_LIMIT);
    if (!summary->ptr)
        return ERR_MEMORY;
    if (summary->len == 0)
        summary->ptr = NULL;
    return 0;
}

int facts_amount(struct arena *arena, struct span text, const char *pointer, struct span *amount,
                 struct fault *fault)
{
    int result = decimal_normalise(arena, text, 0, amount, fault);
    if (result == ERR_INVALID && fault)
        snprintf(fault->pointer, sizeof fault->pointer, "%s", pointer);
    return result;
}

int facts_check_currency(struct span text, const char *pointer, struct fault *fault)
{
    bool good = text.len == 3;
    for (size_t i = 0; good && i < 3; i++)
        good = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
    return good ? 0
                : fault_set(fault, pointer,
                            "must be three capital letters (ISO 4217): USD, not usd or $");
}

int facts_check_money(const struct event_type *type, const struct event_facts *facts,
                      const char *pointer, struct fault *fault)
{
    if (!facts->amount.ptr || facts->currency.ptr || !type || type->money == MONEY_NONE)
        return 0;
    return fault_set(fault, pointer, "is required beside amount: %s counts as money (%s)",
                     type->name, money_name(type->money));
}

static const char *const lists[] = {
    [0] = "",
    [FACT_ISSUE] = "issue",
    [FACT_KEPT] = "kept",
    [FACT_ISSUE | FACT_KEPT] = "issue,kept",
    [FACT_OWNER] = "owner",
    [FACT_ISSUE | FACT_OWNER] = "issue,owner",
    [FACT_KEPT | FACT_OWNER] = "kept,owner",
    [FACT_ISSUE | FACT_KEPT | FACT_OWNER] = "issue,kept,owner",
    [FACT_PROMISES] = "promises",
    [FACT_ISSUE | FACT_PROMISES] = "issue,promises",
    [FACT_KEPT | FACT_PROMISES] = "kept,promises",
    [FACT_ISSUE | FACT_KEPT | FACT_PROMISES] = "issue,kept,promises",
    [FACT_OWNER | FACT_PROMISES] = "owner,promises",
    [FACT_ISSUE | FACT_OWNER | FACT_PROMISES] = "issue,owner,promises",
    [FACT_KEPT | FACT_OWNER | FACT_PROMISES] = "kept,owner,promises",
    [FACT_ISSUE | FACT_KEPT | FACT_OWNER | FACT_PROMISES] = "issue,kept,owner,promises",
};

struct span facts_list(unsigned members)
{
    return span_of(lists[members]);
}

bool facts_list_valid(struct span text)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (span_is(text, lists[i]))
            return true;
    return false;
}
