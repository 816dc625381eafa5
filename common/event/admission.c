#include "common/event/admission.h"

#include <stdio.h>

#include "common/event/fact_checks.h"
#include "common/event/template.h"
#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"

/* One event being looked at. */
struct reading {
    const struct admission *admission;
    const struct event *event;
    const struct event_type *type; /* NULL: unknown and accepted */
    json_t *data;                  /* an object, or NULL */
    struct arena *arena;
    struct event_facts *facts;
    struct fault *fault;
};

/* A member of data; null counts as absent. */
static json_t *member(const struct reading *r, const char *name)
{
    json_t *value = json_object_get(r->data, name);
    return json_is_null(value) ? NULL : value;
}

static int differs(const struct reading *r, const char *name)
{
    char pointer[EVENT_NAME_LIMIT + 2];
    snprintf(pointer, sizeof pointer, "/%s", name);
    return fault_set(r->fault, pointer,
                     "says something else than data.%s: leave the attribute out, it is derived",
                     name);
}

/* An amount may also come as decimal text, so that no double spoils it. */
static bool is_as_required(json_t *value, const struct required_member *required)
{
    return value_test_holds(&required->test, value) ||
           (required->test.type == JSON_REAL && json_is_string(value) &&
            strcmp(required->name, "amount") == 0);
}

static int check_required(const struct reading *r)
{
    if (!r->type || r->type->required_count == 0)
        return 0;
    if (!r->data)
        return fault_set(r->fault, "/data", "must be a JSON object: %s has required members",
                         r->type->name);
    for (size_t i = 0; i < r->type->required_count; i++) {
        const struct required_member *required = &r->type->required[i];
        json_t *value = member(r, required->name);
        if (is_as_required(value, required))
            continue;
        char pointer[256] = "/data";
        json_pointer_append(pointer, sizeof pointer, required->name);
        return fault_set(r->fault, pointer, "%s: %s needs it as %s",
                         value ? "has the wrong type" : "is missing", r->type->name,
                         json_type_word(required->test.type));
    }
    return 0;
}

static int read_customer(const struct reading *r)
{
    struct span attribute = event_extension(r->event, "customer");
    struct identities *identities = &r->facts->identities, other = {.count = 0};
    const struct identity_kinds *kinds = r->admission->kinds;
    json_t *customer = member(r, "customer");
    int result = 0;
    identities->count = 0;
    if (customer)
        result = identities_from_data(kinds, r->arena, customer, identities, r->fault);
    if (result == 0 && attribute.ptr)
        result = identities_from_attribute(kinds, r->arena, attribute, &other, r->fault);
    if (result != 0)
        return result;
    if (identities->count > 0 && other.count > 0 && !identities_equal(identities, &other))
        return differs(r, "customer");
    if (identities->count == 0)
        *identities = other;
    if (identities->count == 0)
        return fault_set(
            r->fault, "/data/customer",
            "is required: at least one identity, as {\"email\": \"ann@acme.example\"}");
    r->facts->customer = identities_to_attribute(identities, r->arena);
    return r->facts->customer.ptr ? 0 : ERR_MEMORY;
}

/* A string of the tree, copied: the tree does not live as long as the facts. */
static int copy_string(const struct reading *r, json_t *string, struct span *text)
{
    *text =
        arena_copy(r->arena, (struct span){json_string_value(string), json_string_length(string)});
    return text->ptr ? 0 : ERR_MEMORY;
}

/* {"name": …, "role": …, "region": …} */
static int check_owner_object(const struct reading *r, json_t *owner)
{
    static const char *const optional[] = {"role", "region"};
    json_t *name = json_object_get(owner, "name");
    if (!json_is_string(name) || json_string_length(name) == 0)
        return fault_set(r->fault, "/data/owner/name", "is required in an owner: a string");
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        json_t *value = json_object_get(owner, optional[i]);
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/data/owner/%s", optional[i]);
        if (value && !json_is_null(value) && !json_is_string(value))
            return fault_set(r->fault, pointer, "must be a string");
        if (json_string_length(value) > EVENT_ROLE_LIMIT)
            return fault_set(r->fault, pointer, "is longer than %d bytes", EVENT_ROLE_LIMIT);
    }
    return 0;
}

static int owner_in_data(const struct reading *r, struct span *owner)
{
    json_t *value = member(r, "owner");
    const char *pointer = "/data/owner";
    struct span text;
    *owner = (struct span){NULL, 0};
    if (!value)
        return 0;
    if (json_is_object(value)) {
        if (check_owner_object(r, value) != 0)
            return ERR_INVALID;
        value = json_object_get(value, "name");
        pointer = "/data/owner/name";
    }
    if (!json_is_string(value))
        return fault_set(r->fault, pointer, "must be a string, or an object with \"name\"");
    int result = copy_string(r, value, &text);
    return result == 0 ? facts_owner(r->arena, text, pointer, owner, r->fault) : result;
}

static int read_owner(const struct reading *r)
{
    struct span attribute = event_extension(r->event, "owner"), said = {NULL, 0};
    int result = owner_in_data(r, &r->facts->owner);
    if (result == 0 && attribute.ptr)
        result = facts_owner(r->arena, attribute, "/owner", &said, r->fault);
    if (result != 0 || !said.ptr)
        return result;
    if (r->facts->owner.ptr && !span_equal(r->facts->owner, said))
        return differs(r, "owner");
    r->facts->owner = said;
    return 0;
}

static int summary_in_data(const struct reading *r, struct span *summary)
{
    json_t *value = member(r, "summary");
    struct span text;
    *summary = (struct span){NULL, 0};
    if (!value)
        return 0;
    if (!json_is_string(value))
        return fault_set(r->fault, "/data/summary", "must be a string: one line for people");
    int result = copy_string(r, value, &text);
    return result == 0 ? facts_summary(r->arena, text, summary) : result;
}

static int read_summary(const struct reading *r)
{
    struct span attribute = event_extension(r->event, "summary"), said = {NULL, 0};
    struct span *summary = &r->facts->summary;
    int result = summary_in_data(r, summary);
    if (result == 0 && attribute.ptr)
        result = facts_summary(r->arena, attribute, &said);
    if (result != 0)
        return result;
    if (summary->ptr && said.ptr && !span_equal(*summary, said))
        return differs(r, "summary");
    if (said.ptr)
        *summary = said;
    if (summary->ptr || !r->type || !r->type->summary)
        return 0;
    struct span document = r->data ? r->event->data : (struct span){NULL, 0};
    struct span line = template_expand(r->type->summary, document, r->arena, NULL);
    return line.ptr ? facts_summary(r->arena, line, summary) : ERR_MEMORY;
}

/* From the bytes, not from the tree, where it has been a double. */
static int amount_in_data(const struct reading *r, struct span *amount)
{
    struct span value;
    *amount = (struct span){NULL, 0};
    if (!member(r, "amount") || json_scan_pointer(r->event->data, "/amount", &value) != 0)
        return 0;
    int result = 0;
    if (value.ptr[0] == '"')
        result = json_scan_text(r->arena, value, &value);
    else if (!strchr("-0123456789", value.ptr[0]))
        return fault_set(r->fault, "/data/amount", "must be a number, or a decimal number as text");
    return result == 0 ? facts_amount(r->arena, value, "/data/amount", amount, r->fault) : result;
}

/* Without the zeros that a fraction ends in: 20 and 20.00 are the same sum. */
static struct span significant(struct span decimal)
{
    if (!memchr(decimal.ptr, '.', decimal.len))
        return decimal;
    while (decimal.ptr[decimal.len - 1] == '0')
        decimal.len--;
    if (decimal.ptr[decimal.len - 1] == '.')
        decimal.len--;
    return decimal;
}

static int read_amount(const struct reading *r)
{
    struct span attribute = event_extension(r->event, "amount"), said;
    int result = amount_in_data(r, &r->facts->amount);
    if (result != 0 || !attribute.ptr)
        return result;
    result = facts_amount(r->arena, attribute, "/amount", &said, r->fault);
    if (result != 0)
        return result;
    if (!r->facts->amount.ptr)
        r->facts->amount = said;
    else if (!span_equal(significant(r->facts->amount), significant(said)))
        return differs(r, "amount");
    return 0;
}

static int read_currency(const struct reading *r)
{
    struct span attribute = event_extension(r->event, "currency");
    struct span *currency = &r->facts->currency;
    json_t *value = member(r, "currency");
    *currency = (struct span){NULL, 0};
    if (value && !json_is_string(value))
        return fault_set(r->fault, "/data/currency", "must be a string, as \"EUR\"");
    if (value && copy_string(r, value, currency) != 0)
        return ERR_MEMORY;
    if (value && facts_check_currency(*currency, "/data/currency", r->fault) != 0)
        return ERR_INVALID;
    if (attribute.ptr && facts_check_currency(attribute, "/currency", r->fault) != 0)
        return ERR_INVALID;
    if (attribute.ptr && value && !span_equal(attribute, *currency))
        return differs(r, "currency");
    if (attribute.ptr)
        *currency = attribute;
    return facts_check_money(r->type, r->facts, "/data/currency", r->fault);
}

/* Promises made, or kept: `name` is the member. */
static int check_promises(const struct reading *r, const char *name, json_t *promises)
{
    char pointer[64];
    size_t i;
    json_t *promise;
    snprintf(pointer, sizeof pointer, "/data/%s", name);
    if (!json_is_array(promises))
        return fault_set(r->fault, pointer, "must be a list of strings");
    if (json_array_size(promises) > EVENT_PROMISES)
        return fault_set(r->fault, pointer, "has more than %d elements", EVENT_PROMISES);
    json_array_foreach(promises, i, promise)
    {
        snprintf(pointer, sizeof pointer, "/data/%s/%zu", name, i);
        if (!json_is_string(promise) || json_string_length(promise) == 0)
            return fault_set(r->fault, pointer, "must be a string that is not empty");
        if (json_string_length(promise) > EVENT_PROMISE_LIMIT)
            return fault_set(r->fault, pointer, "is longer than %d bytes", EVENT_PROMISE_LIMIT);
    }
    return 0;
}

static int check_flag(const struct reading *r, json_t *issue, const char *name)
{
    json_t *value = json_object_get(issue, name);
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/data/issue/%s", name);
    if (!value || json_is_null(value) || json_is_boolean(value))
        return 0;
    return fault_set(r->fault, pointer, "must be true or false");
}

/* A new issue says what it is; one that is told or closed is known by its id. */
static int check_issue(const struct reading *r, json_t *issue)
{
    if (!json_is_object(issue))
        return fault_set(r->fault, "/data/issue", "must be an object with \"id\" and \"summary\"");
    json_t *id = json_object_get(issue, "id"), *summary = json_object_get(issue, "summary");
    if (!json_is_string(id) || json_string_length(id) == 0)
        return fault_set(r->fault, "/data/issue/id", "is required: a string that is not empty");
    if (json_string_length(id) > EVENT_ISSUE_LIMIT)
        return fault_set(r->fault, "/data/issue/id", "is longer than %d bytes", EVENT_ISSUE_LIMIT);
    if (check_flag(r, issue, "closed") != 0 || check_flag(r, issue, "told") != 0)
        return ERR_INVALID;
    bool known = json_is_true(json_object_get(issue, "closed")) ||
                 json_is_true(json_object_get(issue, "told"));
    bool left_out = !summary || json_is_null(summary);
    if ((left_out && known) || (json_is_string(summary) && json_string_length(summary) > 0))
        return 0;
    return fault_set(r->fault, "/data/issue/summary",
                     left_out ? "is required of a new issue: one line for people"
                              : "must be a string that is not empty");
}

static int read_folded(const struct reading *r)
{
    struct span attribute = event_extension(r->event, "facts");
    json_t *promises = member(r, "promises"), *kept = member(r, "kept");
    json_t *issue = member(r, "issue");
    unsigned members = 0;
    if (promises && check_promises(r, "promises", promises) != 0)
        return ERR_INVALID;
    if (kept && check_promises(r, "kept", kept) != 0)
        return ERR_INVALID;
    if (issue && check_issue(r, issue) != 0)
        return ERR_INVALID;
    members |= promises ? FACT_PROMISES : 0;
    members |= kept ? FACT_KEPT : 0;
    members |= issue ? FACT_ISSUE : 0;
    members |= json_is_object(member(r, "owner")) ? FACT_OWNER : 0;
    r->facts->facts = facts_list(members);
    if (attribute.ptr && !span_equal(attribute, r->facts->facts))
        return fault_set(r->fault, "/facts", "must be left out: it is derived from data");
    return 0;
}

/* The facts join the event's own extensions on Kafka, and must be read back. */
static int check_room(const struct reading *r)
{
    size_t own = 0;
    for (size_t i = 0; i < r->event->extension_count; i++)
        own += !facts_name(r->event->extensions[i].name);
    if (own + EVENT_FACTS <= EVENT_EXTENSIONS_LIMIT)
        return 0;
    return fault_set(r->fault, "", "has more than %d extension attributes",
                     EVENT_EXTENSIONS_LIMIT - EVENT_FACTS);
}

static int read_facts(const struct reading *r)
{
    static int (*const steps[])(const struct reading *) = {
        check_required, read_customer, read_owner,  read_summary,
        read_amount,    read_currency, read_folded, check_room,
    };
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof steps / sizeof *steps; i++)
        result = steps[i](r);
    return result;
}

int event_admit(const struct admission *admission, const struct event *event, json_t *data,
                struct arena *arena, struct event_facts *facts, struct fault *fault)
{
    struct reading r = {admission, event, NULL, NULL, arena, facts, fault};
    json_t *parsed = NULL;
    int result = facts_check_type(admission, event, &r.type, fault);
    if (result == 0)
        result = facts_check_time(admission, event, &facts->occurred_at, fault);
    if (result == 0 && event->data_kind == EVENT_DATA_JSON && !data) {
        result = json_read(event->data, &parsed, NULL, fault);
        if (result == ERR_INVALID)
            fault_prefix(fault, "/data");
        data = parsed;
    }
    if (result != 0)
        return result;
    bool object = event->data_kind == EVENT_DATA_JSON && json_is_object(data);
    r.data = object ? data : NULL;
    result = read_facts(&r);
    json_decref(parsed);
    return result;
}
