#include "services/department/mapping.h"

#include <stdio.h>

#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"
#include "services/department/mapping_rules.h"

static void cursor_start(const struct mapping *mapping, struct span text, json_t *tree,
                         struct mapping_cursor *cursor)
{
    cursor->started = true;
    if (mapping->each) {
        json_t *found = json_pointer_get(tree, mapping->each);
        if (json_is_array(found) && json_scan_pointer(text, mapping->each, &cursor->array) == 0)
            cursor->elements = found;
    } else if (json_is_array(tree)) {
        cursor->elements = tree;
        cursor->array = text;
    }
}

bool mapping_next(const struct mapping *mapping, struct span text, json_t *tree,
                  struct mapping_cursor *cursor, struct mapping_element *element)
{
    if (!cursor->started)
        cursor_start(mapping, text, tree, cursor);
    if (!cursor->elements) { /* the body is one thing, given once */
        *element = (struct mapping_element){text, tree, 0};
        return cursor->index++ == 0;
    }
    if (!json_scan_next(cursor->array, &cursor->at, &element->text))
        return false;
    element->tree = json_array_get(cursor->elements, cursor->index);
    element->index = cursor->index++;
    return true;
}

/* Everything that one mapping of one element works with. */
struct applying {
    const struct mapping *mapping;
    const struct rule *rule;
    const struct mapping_input *input;
    struct arena *arena;
    struct fault *fault;
};

static int get_value(const struct applying *applying, const struct value *value,
                     struct value_result *result)
{
    return value_get(value, applying->input, &applying->rule->minor_units, applying->arena, result,
                     applying->fault);
}

/* An attribute of the event: it must be there. */
static int get_attribute(const struct applying *applying, const struct value *value,
                         const char *name, struct span *out)
{
    struct value_result result;
    int rc = get_value(applying, value, &result);
    if (rc)
        return rc;
    *out = value_text(&result);
    if (out->ptr)
        return 0;
    struct buffer places;
    buffer_init(&places, 384);
    value_places(value, &places);
    fault_set(applying->fault, "", "no %s: none of %.*s has a value%s", name,
              SPAN_ARGS(buffer_span(&places)), value->map ? " that is known" : "");
    buffer_free(&places);
    return ERR_INVALID;
}

static void append_name(struct buffer *out, size_t *members, const char *name)
{
    if ((*members)++)
        buffer_append_char(out, ',');
    buffer_append_json_string(out, span_of(name));
    buffer_append_char(out, ':');
}

/* The identities that are there, as members of the object that is open in `out`. */
static int append_identities(const struct applying *applying, const struct value_list *list,
                             struct buffer *out, size_t *members)
{
    for (size_t i = 0; i < list->count; i++) {
        struct value_result result;
        int rc = get_value(applying, list->items[i].value, &result);
        if (rc)
            return rc;
        struct span text = value_text(&result);
        if (!text.ptr)
            continue;
        append_name(out, members, list->items[i].name);
        result = (struct value_result){VALUE_TEXT, text};
        rc = value_append(&result, out, applying->fault);
        if (rc)
            return rc;
    }
    return 0;
}

static int append_customer(const struct applying *applying, struct buffer *out)
{
    const struct rule *rule = applying->rule;
    struct buffer account;
    size_t persons = 0, accounts = 0;
    buffer_init(&account, MAPPED_DATA_LIMIT * 2);
    buffer_append_text(out, "{\"customer\":{");
    int rc = append_identities(applying, &rule->customer, out, &persons);
    if (!rc)
        rc = append_identities(applying, &rule->account, &account, &accounts);
    if (!rc && persons + accounts == 0)
        rc = fault_set(applying->fault, "", "%s", rule->no_customer);
    if (!rc && accounts) {
        append_name(out, &persons, "account");
        buffer_append_char(out, '{');
        buffer_append_span(out, buffer_span(&account));
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, '}');
    out->failed |= account.failed;
    buffer_free(&account);
    return rc;
}

static int append_data(const struct applying *applying, struct buffer *out)
{
    const struct value_list *data = &applying->rule->data;
    size_t members = 1; /* the customer stands there already */
    for (size_t i = 0; i < data->count; i++) {
        struct value_result result;
        int rc = get_value(applying, data->items[i].value, &result);
        if (rc)
            return rc;
        if (result.form == VALUE_ABSENT)
            continue;
        append_name(out, &members, data->items[i].name);
        rc = value_append(&result, out, applying->fault);
        if (rc)
            return rc;
    }
    int rc = 0;
    if (applying->mapping->payload) {
        const struct value_result payload = {VALUE_JSON, applying->input->text};
        append_name(out, &members, "payload");
        rc = value_append(&payload, out, applying->fault);
    }
    buffer_append_char(out, '}');
    return rc;
}

static int build_data(const struct applying *applying, struct event *event)
{
    struct buffer out;
    buffer_init(&out, MAPPED_DATA_LIMIT * 2);
    int rc = append_customer(applying, &out);
    if (!rc)
        rc = append_data(applying, &out);
    if (!rc && out.failed)
        rc = ERR_MEMORY;
    if (!rc) {
        event->data = arena_copy(applying->arena, buffer_span(&out));
        event->data_kind = EVENT_DATA_JSON;
        event->datacontenttype = span_of("application/json");
        rc = event->data.ptr ? 0 : ERR_MEMORY;
    }
    buffer_free(&out);
    return rc;
}

/* Sets an attribute with the checks that a native sender's attribute gets. */
static int set_attribute(const struct applying *applying, struct event *event, const char *name,
                         const struct value *value)
{
    bool seen = false;
    struct span text;
    int rc = get_attribute(applying, value, name, &text);
    if (rc)
        return rc;
    text = arena_copy(applying->arena, text); /* the tree may go before the event does */
    return text.ptr ? event_set_attribute(event, span_of(name), text, &seen, applying->fault)
                    : ERR_MEMORY;
}

static int build_event(const struct applying *applying, struct event *event)
{
    const struct rule *rule = applying->rule;
    int rc = set_attribute(applying, event, "type", rule->type);
    if (!rc)
        rc = set_attribute(applying, event, "id", rule->id);
    if (!rc)
        rc = set_attribute(applying, event, "time", rule->time);
    if (!rc && rule->source)
        rc = set_attribute(applying, event, "source", rule->source);
    else
        event->source = span_of(applying->mapping->fallback_source);
    return rc ? rc : build_data(applying, event);
}

static const struct rule *find_rule(const struct mapping *mapping,
                                    const struct mapping_input *input)
{
    for (size_t i = 0; i < mapping->rule_count; i++) {
        const struct rule *rule = &mapping->rules[i];
        if ((!rule->when || condition_holds(rule->when, input)) &&
            (!rule->unless || !condition_holds(rule->unless, input)))
            return rule;
    }
    return NULL;
}

static int set_aside(struct mapped *mapped, enum mapping_outcome outcome, const char *reason)
{
    mapped->outcome = outcome;
    mapped->reason = reason;
    return 0;
}

/* What is wrong with the element becomes the reason: "/data/amount: must be …". */
static int quarantine(struct mapped *mapped, const struct fault *fault, struct arena *arena)
{
    const char *between = fault->pointer[0] ? " " : "";
    char *reason = arena_printf(arena, "%.200s%s%.300s", fault->pointer, between, fault->detail);
    return reason ? set_aside(mapped, MAPPED_QUARANTINE, reason) : ERR_MEMORY;
}

int mapping_apply(const struct mapping *mapping, const struct admission *admission,
                  const struct mapping_element *element, const struct record_header *headers,
                  size_t header_count, struct arena *arena, struct mapped *mapped)
{
    const struct mapping_input input = {element->text, element->tree, headers, header_count};
    const struct rule *rule = find_rule(mapping, &input);
    *mapped = (struct mapped){.rule = rule ? (int)(rule - mapping->rules) : -1};
    if (!rule && mapping->ignore_others)
        return set_aside(mapped, MAPPED_IGNORED, "no rule is about it");
    if (!rule)
        return set_aside(mapped, MAPPED_QUARANTINE, "no rule of the source is about it");
    if (rule->action == RULE_IGNORE)
        return set_aside(mapped, MAPPED_IGNORED, rule->reason);
    if (rule->action == RULE_QUARANTINE)
        return set_aside(mapped, MAPPED_QUARANTINE, rule->reason);
    struct fault fault = {.pointer = ""};
    const struct applying applying = {mapping, rule, &input, arena, &fault};
    int rc = build_event(&applying, &mapped->event);
    if (!rc)
        rc = event_admit(admission, &mapped->event, NULL, arena, &mapped->facts, &fault);
    if (rc == ERR_INVALID)
        return quarantine(mapped, &fault, arena);
    mapped->outcome = MAPPED_EVENT;
    return rc;
}
