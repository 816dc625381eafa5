#include "services/department/handoff_requests.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/event/event.h"
#include "common/event/system_events.h"
#include "common/event/trace_context.h"
#include "common/json/json_pointer.h"
#include "services/department/handoff_change.h"
#include "services/department/intake_metrics.h"

#define KEY_LIMIT 200

/* --- what was asked: no I/O --- */

static const struct verb {
    const char *name, *type;
} verbs[] = {
    {"accept", TYPE_HANDOFF_ACCEPT},
    {"decline", TYPE_HANDOFF_DECLINE},
    {"done", TYPE_HANDOFF_DONE},
    {"reassign", TYPE_HANDOFF_REASSIGN},
};

int handoff_ask_path(struct span path, struct handoff_ask *ask, struct fault *fault)
{
    const char *slash = memchr(path.ptr, '/', path.len);
    *ask = (struct handoff_ask){.type = {NULL, 0}};
    if (!slash)
        return ERR_NOT_FOUND;
    struct span id = {path.ptr, (size_t)(slash - path.ptr)};
    struct span name = {slash + 1, path.len - id.len - 1};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (span_is(name, verbs[i].name))
            ask->type = span_of(verbs[i].type);
    if (!ask->type.ptr)
        return ERR_NOT_FOUND;
    struct event_uid handoff;
    if (event_uid_parse(id, &handoff) != 0)
        return fault_set(fault, "",
                         "the handoff's id must be a UUID, like "
                         "123e4567-e89b-12d3-a456-426614174000");
    event_uid_text(&handoff, ask->handoff_id);
    return 0;
}

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.ptr[i]))
            return false;
    return true;
}

/* A text of a request; absent where there is none. Control characters but line ends are refused:
 * people read it. */
static int read_text(json_t *body, const char *name, size_t limit, struct span *text,
                     struct fault *fault)
{
    char pointer[32];
    json_t *value = json_object_get(body, name);
    snprintf(pointer, sizeof pointer, "/%s", name);
    *text = (struct span){NULL, 0};
    if (!value)
        return 0;
    if (!json_is_string(value))
        return fault_set(fault, pointer, "must be a string");
    *text = (struct span){json_string_value(value), json_string_length(value)};
    if (text->len > limit)
        return fault_set(fault, pointer, "may have at most %zu bytes", limit);
    if (is_blank(*text))
        return fault_set(fault, pointer, "must not be empty");
    for (size_t i = 0; i < text->len; i++)
        if ((unsigned char)text->ptr[i] < ' ' && !strchr("\t\r\n", text->ptr[i]))
            return fault_set(fault, pointer, "has a control character");
    return 0;
}

static int check_members(json_t *body, bool reassigns, struct fault *fault)
{
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        char pointer[sizeof fault->pointer] = "";
        if (strcmp(name, "by") == 0 || strcmp(name, "note") == 0 ||
            (reassigns && strcmp(name, "to") == 0))
            continue;
        json_pointer_append(pointer, sizeof pointer, name);
        return fault_set(fault, pointer, "is not known here: %s",
                         reassigns ? "by, to and note are" : "by and note are");
    }
    return 0;
}

static int read_to(json_t *body, const struct vocabulary *vocabulary, const char *own,
                   struct span *to, struct fault *fault)
{
    int rc = read_text(body, "to", EVENT_NAME_LIMIT, to, fault);
    if (rc != 0)
        return rc;
    if (!to->ptr)
        return fault_set(fault, "/to", "is missing: the department that shall have it");
    if (!vocabulary_department(vocabulary, *to))
        return fault_set(fault, "/to", "is no department that this configuration knows");
    if (span_is(*to, own))
        return fault_set(fault, "/to", "is this department itself");
    return 0;
}

int handoff_ask_body(json_t *body, const struct vocabulary *vocabulary, const char *own,
                     struct handoff_ask *ask, struct fault *fault)
{
    bool reassigns = span_is(ask->type, TYPE_HANDOFF_REASSIGN);
    if (!json_is_object(body))
        return fault_set(fault, "", "must be an object");
    int rc = check_members(body, reassigns, fault);
    if (rc == 0)
        rc = read_text(body, "by", HANDOFF_BY_LIMIT, &ask->by, fault);
    if (rc == 0 && !ask->by.ptr)
        rc = fault_set(fault, "/by", "is missing: who does this");
    if (rc == 0)
        rc = read_text(body, "note", HANDOFF_NOTE_LIMIT, &ask->note, fault);
    if (rc == 0 && !ask->note.ptr && span_is(ask->type, TYPE_HANDOFF_DECLINE))
        rc = fault_set(fault, "/note", "is missing: whoever handed it over wants to know why");
    if (rc == 0 && reassigns)
        rc = read_to(body, vocabulary, own, &ask->to, fault);
    return rc;
}

static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return text.len > 0;
}

int handoff_ask_key(struct span value, struct span *id, struct fault *fault)
{
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = (struct span){value.ptr + 1, value.len - 2};
    if (!is_plain(value) || value.len > KEY_LIMIT)
        return fault_set(fault, "",
                         "Idempotency-Key must be 1 to %d characters of ASCII without spaces",
                         KEY_LIMIT);
    *id = value;
    return 0;
}

/* --- one request --- */

static void refuse(struct http_request *request, int status, const char *detail)
{
    intake_refuse(request, status, detail, NULL, 0, 0);
}

/* A fault of the body names its member, one of anything else stands for itself. */
static void refuse_fault(struct http_request *request, const struct fault *fault, bool of_body)
{
    struct problem_error error = {-1, fault->pointer, fault->detail};
    if (of_body)
        intake_refuse(request, 400, "the request is not valid", &error, 1, 0);
    else
        refuse(request, 400, fault->detail);
}

/* False when the request has been answered. */
static bool check_head(struct http_request *request)
{
    struct span coding = http_request_header(request, "Content-Encoding");
    if (intake_comes_twice(request, "Content-Type") ||
        intake_comes_twice(request, "Content-Encoding") ||
        intake_comes_twice(request, "Idempotency-Key"))
        refuse(request, 400,
               "Content-Type, Content-Encoding and Idempotency-Key may each come once");
    else if (coding.ptr && !span_is_nocase(coding, "identity"))
        refuse(request, 415, "send it without Content-Encoding");
    else if (!event_media_type_is(http_request_header(request, "Content-Type"), "application/json"))
        refuse(request, 415, "send application/json: {\"by\": \"ann\", \"note\": \"…\"}");
    else
        return true;
    return false;
}

/* The event's id: what the caller gave, for asking again, or a new one. False when answered. */
static bool find_id(struct http_request *request, char fresh[EVENT_UID_TEXT], struct span *id)
{
    struct fault fault = {.detail = ""};
    struct span key = http_request_header(request, "Idempotency-Key");
    int rc;
    if (key.ptr) {
        rc = handoff_ask_key(key, id, &fault);
    } else {
        rc = handoff_message_id(fresh);
        *id = span_of(fresh);
    }
    if (rc == ERR_INVALID)
        refuse(request, 400, fault.detail);
    else if (rc != 0)
        intake_unable(request);
    return rc == 0;
}

static void publish(const struct intake *intake, struct http_request *request,
                    const struct handoff_ask *ask, struct span id)
{
    struct record record;
    const struct record_header *headers;
    size_t header_count = http_request_headers(request, &headers);
    const struct publish_counts counts = {.accepted = 1};
    const struct handoff_message message = {
        .department = intake->department->name,
        .type = ask->type,
        .id = id,
        .handoff_id = span_of(ask->handoff_id),
        .by = ask->by,
        .note = ask->note,
        .to = ask->to,
        .traceparent = trace_parent_of_headers(headers, header_count),
        .time_us = clock_wall_us(),
    };
    if (handoff_message_record(&message, http_request_arena(request), &record) != 0)
        intake_unable(request);
    else
        publish_and_respond(intake->publisher, request, &record, 1, &counts);
}

static void take(const struct intake *intake, struct http_request *request, struct handoff_ask *ask)
{
    struct fault fault = {.detail = ""};
    struct span id;
    char fresh[EVENT_UID_TEXT];
    json_t *body;
    if (!check_head(request) || !find_id(request, fresh, &id))
        return;
    int rc = json_read(http_request_body(request), &body, NULL, &fault);
    if (rc == 0) {
        rc = handoff_ask_body(body, intake->vocabulary, intake->department->name, ask, &fault);
        if (rc == 0)
            publish(intake, request, ask, id);
        json_decref(body);
    }
    if (rc == ERR_INVALID)
        refuse_fault(request, &fault, true);
    else if (rc != 0)
        intake_unable(request);
}

void handoff_request(struct http_request *request, void *context)
{
    const struct intake *intake = context;
    const size_t skip = sizeof HANDOFFS_PATH - 1;
    struct span path = http_request_path(request);
    struct handoff_ask ask;
    struct fault fault = {.detail = ""};
    int rc = handoff_ask_path((struct span){path.ptr + skip, path.len - skip}, &ask, &fault);
    if (rc == ERR_NOT_FOUND)
        refuse(request, 404, "there are accept, decline, done and reassign of a handoff's id");
    else if (!http_bearer_ok(request, intake->token))
        refuse(request, 401, "Authorization: Bearer <token> is missing or wrong");
    else if (http_request_body(request).len > intake->event_limit)
        refuse(request, 413, "a request may be as large as an event at most");
    else if (rc != 0)
        refuse_fault(request, &fault, false);
    else
        take(intake, request, &ask);
}
