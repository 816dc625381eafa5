#include "services/aggregator/handoff_asked.h"

#include <jansson.h>
#include <stdio.h>

#include "common/base/hex.h"
#include "common/event/fact_checks.h"
#include "common/event/system_events.h"
#include "common/json/json_pointer.h"

bool handoff_action_of(struct span type, enum handoff_action *action)
{
    static const struct {
        const char *type;
        enum handoff_action action;
    } actions[] = {
        {TYPE_HANDOFF_ACCEPT, ACTION_ACCEPT},
        {TYPE_HANDOFF_DECLINE, ACTION_DECLINE},
        {TYPE_HANDOFF_DONE, ACTION_DONE},
        {TYPE_HANDOFF_REASSIGN, ACTION_REASSIGN},
        {TYPE_HANDOFF_DELIVERED, ACTION_DELIVERED},
        {TYPE_HANDOFF_UNDELIVERABLE, ACTION_UNDELIVERABLE},
    };
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (span_is(type, actions[i].type)) {
            *action = actions[i].action;
            return true;
        }
    }
    return false;
}

/* A text member; absent where there is none, or null. */
static int read_text(json_t *data, const char *name, size_t limit, struct arena *arena,
                     struct span *text, struct fault *fault)
{
    char pointer[32];
    json_t *value = json_object_get(data, name);
    *text = (struct span){NULL, 0};
    if (!value || json_is_null(value))
        return 0;
    snprintf(pointer, sizeof pointer, "/data/%s", name);
    if (!json_is_string(value))
        return fault_set(fault, pointer, "must be a string");
    struct span said = {json_string_value(value), json_string_length(value)};
    if (said.len == 0)
        return 0;
    if (said.len > limit)
        return fault_set(fault, pointer, "is longer than %zu bytes", limit);
    *text = arena_copy(arena, said);
    return text->ptr ? 0 : ERR_MEMORY;
}

static int read_id(json_t *data, struct handoff_asked *asked, struct fault *fault)
{
    json_t *id = json_object_get(data, "handoff");
    struct span text = {json_string_value(id), json_string_length(id)};
    if (!text.ptr || event_uid_parse(text, &asked->handoff) != 0)
        return fault_set(fault, "/data/handoff", "must be the id of a handoff: a UUID");
    return 0;
}

bool handoff_is_report(enum handoff_action action)
{
    return action == ACTION_DELIVERED || action == ACTION_UNDELIVERABLE;
}

static int check(const struct handoff_asked *asked, struct fault *fault)
{
    if (!asked->by.ptr && !handoff_is_report(asked->action))
        return fault_set(fault, "/data/by", "is required: who asks");
    if (!asked->note.ptr && asked->action == ACTION_DECLINE)
        return fault_set(fault, "/data/note", "is required: why it is declined");
    if (!asked->to.ptr && asked->action == ACTION_REASSIGN)
        return fault_set(fault, "/data/to", "is required: the department that is to do it");
    return 0;
}

int handoff_asked_read(const struct event *event, struct arena *arena, struct handoff_asked *asked,
                       struct fault *fault)
{
    json_t *data = NULL;
    *asked = (struct handoff_asked){.sequence = 0};
    if (!handoff_action_of(event->type, &asked->action))
        return fault_set(fault, "/type", "is nothing that is asked or reported of a handoff");
    if (event->data_kind != EVENT_DATA_JSON)
        return fault_set(fault, "/data", "must be a JSON object with \"handoff\"");
    int rc = json_read(event->data, &data, NULL, fault);
    if (rc == ERR_INVALID)
        fault_prefix(fault, "/data");
    if (rc != 0)
        return rc;
    rc = read_id(data, asked, fault);
    if (rc == 0)
        rc = read_text(data, "by", HANDOFF_BY_LIMIT, arena, &asked->by, fault);
    if (rc == 0)
        rc = read_text(data, "note", HANDOFF_NOTE_LIMIT, arena, &asked->note, fault);
    if (rc == 0)
        rc = read_text(data, "to", 64, arena, &asked->to, fault);
    if (rc == 0)
        rc = check(asked, fault);
    asked->sequence = json_integer_value(json_object_get(data, "sequence"));
    json_decref(data);
    return rc;
}

int handoff_asked_summary(const struct handoff_asked *asked, struct arena *arena,
                          struct span *summary)
{
    const char *line = arena_printf(
        arena, "%s: %s%s%.*s%s%.*s%s%s%.*s", handoff_is_report(asked->action) ? "Handoff" : "Asked",
        handoff_action_name(asked->action), asked->to.ptr ? " to " : "", SPAN_ARGS(asked->to),
        asked->by.ptr ? " (" : "", SPAN_ARGS(asked->by), asked->by.ptr ? ")" : "",
        asked->note.ptr ? ": " : "", SPAN_ARGS(asked->note));
    return line ? facts_summary(arena, span_of(line), summary) : ERR_MEMORY;
}
