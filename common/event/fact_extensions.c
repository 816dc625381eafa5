/* The aggregator's hot path: nothing here parses data or asks malloc. */
#include "common/event/event_kafka.h"
#include "common/event/fact_checks.h"
#include "common/json/json_scan.h"

static int read_customer(const struct admission *admission, struct span attribute,
                         struct arena *arena, struct event_facts *facts, struct fault *fault)
{
    int result =
        identities_from_attribute(admission->kinds, arena, attribute, &facts->identities, fault);
    if (result != 0)
        return result;
    facts->customer = identities_to_attribute(&facts->identities, arena);
    return facts->customer.ptr ? 0 : ERR_MEMORY;
}

static int read_texts(const struct event *event, struct arena *arena, struct event_facts *facts,
                      struct fault *fault)
{
    struct span owner = event_extension(event, "owner"),
                summary = event_extension(event, "summary");
    int result = 0;
    facts->owner = facts->summary = (struct span){NULL, 0};
    if (owner.ptr)
        result = facts_owner(arena, owner, "/owner", &facts->owner, fault);
    if (result == 0 && summary.ptr)
        result = facts_summary(arena, summary, &facts->summary);
    return result;
}

static int read_money(const struct event *event, const struct event_type *type, struct arena *arena,
                      struct event_facts *facts, struct fault *fault)
{
    struct span amount = event_extension(event, "amount");
    facts->amount = (struct span){NULL, 0};
    facts->currency = event_extension(event, "currency");
    int result = 0;
    if (amount.ptr)
        result = facts_amount(arena, amount, "/amount", &facts->amount, fault);
    if (result == 0 && facts->currency.ptr)
        result = facts_check_currency(facts->currency, "/currency", fault);
    return result == 0 ? facts_check_money(type, facts, "/currency", fault) : result;
}

static int check_data(const struct event *event, const struct event_facts *facts,
                      struct fault *fault)
{
    if (!facts_list_valid(facts->facts))
        return fault_set(fault, "/facts",
                         "must list issue, kept, owner and promises, in this order, with commas");
    if (event->data_kind != EVENT_DATA_JSON) {
        if (facts->facts.len == 0)
            return 0;
        return fault_set(fault, "/facts", "lists members of data, which is no JSON");
    }
    int result = json_scan_check(event->data, fault);
    if (result == ERR_INVALID)
        fault_prefix(fault, "/data");
    return result;
}

int event_facts_from_extensions(const struct admission *admission, const struct event *event,
                                struct arena *arena, struct event_facts *facts, bool *complete,
                                struct fault *fault)
{
    struct span customer = event_extension(event, "customer");
    const struct event_type *type;
    facts->facts = event_extension(event, "facts");
    *complete = customer.ptr && facts->facts.ptr;
    if (!*complete)
        return 0;
    int result = facts_check_type(admission, event, &type, fault);
    if (result == 0)
        result = facts_check_time(admission, event, &facts->occurred_at, fault);
    if (result == 0)
        result = read_customer(admission, customer, arena, facts, fault);
    if (result == 0)
        result = read_texts(event, arena, facts, fault);
    if (result == 0)
        result = read_money(event, type, arena, facts, fault);
    return result == 0 ? check_data(event, facts, fault) : result;
}
