#include "services/department/intake.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/event/event_http.h"
#include "common/event/event_json.h"
#include "common/event/event_kafka.h"
#include "common/event/trace_context.h"
#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"
#include "services/department/intake_metrics.h"

void intake_refuse(struct http_request *request, int status, const char *detail,
                   const struct problem_error *errors, size_t error_count, size_t events)
{
    intake_count_request(status);
    intake_count_refusal(status, error_count > 0 ? errors[0].pointer : NULL);
    intake_count_events(INTAKE_REFUSED, events);
    http_respond_problem(request, status, detail, errors, error_count);
}

void intake_unable(struct http_request *request)
{
    intake_refuse(request, 503, "out of memory for now: send it again", NULL, 0, 0);
}

int record_list_add(struct record_list *list, const struct record *record)
{
    int rc = list_grow(&list->items, list->count, &list->capacity, sizeof *list->items);
    if (rc == 0)
        list->items[list->count++] = *record;
    return rc;
}

void record_list_free(struct record_list *list)
{
    free(list->items);
    *list = (struct record_list){0};
}

/* One request to /events while it is handled. */
struct reception {
    const struct intake *intake;
    struct http_request *request;
    struct admission admission;
    struct span trace; /* the request's, for events that have none of their own */
    struct arena *arena;
    struct record_list records;
    /* What is wrong with which event; `wrong` counts those that are not listed, too. */
    struct problem_error errors[PROBLEM_ERRORS_LIMIT];
    size_t wrong;
};

/* 0, or ERR_MEMORY when the fault cannot be kept. */
static int note_fault(struct reception *reception, int64_t index, const struct fault *fault)
{
    if (reception->wrong < PROBLEM_ERRORS_LIMIT) {
        const char *pointer = arena_strdup(reception->arena, span_of(fault->pointer));
        const char *detail = arena_strdup(reception->arena, span_of(fault->detail));
        if (!pointer || !detail)
            return ERR_MEMORY;
        reception->errors[reception->wrong] = (struct problem_error){index, pointer, detail};
    }
    reception->wrong++;
    return 0;
}

static int admit(struct reception *reception, struct event *event, json_t *data,
                 struct fault *fault)
{
    struct event_facts facts;
    struct record record = {.partition = -1};
    int rc = event_admit(&reception->admission, event, data, reception->arena, &facts, fault);
    /* Once one event is refused none is published: no need to keep the others. */
    if (rc || reception->wrong > 0)
        return rc;
    trace_event(event, reception->trace);
    rc = event_to_record(event, &facts, reception->arena, &record);
    return rc ? rc : record_list_add(&reception->records, &record);
}

static int take_structured(struct reception *reception, struct span text, struct fault *fault)
{
    struct event event;
    json_t *tree;
    int rc = json_read(text, &tree, &text, fault);
    if (rc)
        return rc;
    rc = event_from_json(text, reception->arena, &event, fault);
    if (!rc) {
        json_t *data = event.data_kind == EVENT_DATA_JSON ? json_object_get(tree, "data") : NULL;
        rc = admit(reception, &event, data, fault);
    }
    json_decref(tree);
    return rc;
}

static int take_binary(struct reception *reception, struct fault *fault)
{
    const struct record_header *headers;
    struct event event;
    size_t count = http_request_headers(reception->request, &headers);
    int rc = event_from_http(headers, count, http_request_body(reception->request),
                             reception->arena, &event, fault);
    return rc ? rc : admit(reception, &event, NULL, fault);
}

/* Publishes, or answers with what is wrong. `rc` is the first failure that is
 * not the sender's fault. */
static void conclude(struct reception *reception, size_t events, int rc)
{
    if (rc) {
        intake_unable(reception->request);
    } else if (reception->wrong > 0) {
        intake_refuse(reception->request, 400,
                      events > 1 ? "nothing was published, since of these events some are not valid"
                                 : "the event is not valid",
                      reception->errors, reception->wrong, events);
    } else {
        struct publish_counts counts = {.accepted = reception->records.count};
        publish_and_respond(reception->intake->publisher, reception->request,
                            reception->records.items, reception->records.count, &counts);
    }
}

static void too_large(const struct intake *intake, char text[64])
{
    snprintf(text, 64, "an event may have at most %zu bytes", intake->event_limit);
}

static void receive_one(struct reception *reception, enum event_mode mode)
{
    struct fault fault = {0};
    struct span body = http_request_body(reception->request);
    if (body.len > reception->intake->event_limit) {
        char text[64];
        too_large(reception->intake, text);
        intake_refuse(reception->request, 413, text, NULL, 0, 1);
        return;
    }
    int rc = mode == EVENT_MODE_STRUCTURED ? take_structured(reception, body, &fault)
                                           : take_binary(reception, &fault);
    if (rc == ERR_INVALID)
        rc = note_fault(reception, -1, &fault);
    conclude(reception, 1, rc);
}

static void refuse_large(struct reception *reception, size_t index)
{
    char text[64];
    too_large(reception->intake, text);
    struct problem_error error = {(int64_t)index, "", text};
    intake_refuse(reception->request, 413, "nothing was published, since an event is too large",
                  &error, 1, index + 1);
}

/* An array as the whole, which json_scan_check has accepted. Its events are
 * parsed one by one: a tree of them all would take many times the bytes. */
static void receive_elements(struct reception *reception, struct span array)
{
    size_t cursor = 0, index = 0;
    struct span element;
    int rc = 0;
    for (; !rc && json_scan_next(array, &cursor, &element); index++) {
        struct fault fault = {0};
        if (element.len > reception->intake->event_limit) {
            refuse_large(reception, index);
            return;
        }
        rc = take_structured(reception, element, &fault);
        if (rc == ERR_INVALID)
            rc = note_fault(reception, (int64_t)index, &fault);
    }
    conclude(reception, index, rc);
}

static bool is_array(struct span text)
{
    size_t skip = 0;
    while (skip < text.len && strchr(" \t\r\n", text.ptr[skip]))
        skip++;
    return skip < text.len && text.ptr[skip] == '[';
}

static void receive_batch(struct reception *reception)
{
    struct fault fault = {0};
    struct span body = json_without_mark(http_request_body(reception->request));
    int rc = json_scan_check(body, &fault);
    if (!rc && !is_array(body))
        rc = fault_set(&fault, "", "a batch is a JSON array of events");
    if (rc == ERR_INVALID) {
        rc = note_fault(reception, -1, &fault);
        conclude(reception, 1, rc);
        return;
    }
    if (rc)
        conclude(reception, 0, rc);
    else
        receive_elements(reception, body);
}

static bool has_ce_header(const struct http_request *request)
{
    const struct record_header *headers;
    size_t count = http_request_headers(request, &headers);
    for (size_t i = 0; i < count; i++)
        if (headers[i].name.len > 3 && span_is_nocase((struct span){headers[i].name.ptr, 3}, "ce-"))
            return true;
    return false;
}

bool intake_comes_twice(const struct http_request *request, const char *name)
{
    const struct record_header *headers;
    size_t count = http_request_headers(request, &headers), found = 0;
    for (size_t i = 0; i < count; i++)
        found += span_is_nocase(headers[i].name, name);
    return found > 1;
}

/* False when the request has been answered. */
static bool find_mode(struct http_request *request, enum event_mode *mode)
{
    static const char formats[] =
        "send application/cloudevents+json, application/cloudevents-batch+json, or binary mode: "
        "attributes in ce- headers";
    if (intake_comes_twice(request, "Content-Type") ||
        intake_comes_twice(request, "Content-Encoding")) {
        intake_refuse(request, 400, "Content-Type and Content-Encoding may each come once", NULL, 0,
                      0);
        return false;
    }
    struct span coding = http_request_header(request, "Content-Encoding");
    if (coding.ptr && !span_is_nocase(coding, "identity")) {
        intake_refuse(request, 415, "send it without Content-Encoding", NULL, 0, 0);
        return false;
    }
    int rc = event_http_mode(http_request_header(request, "Content-Type"), mode);
    if (rc || (*mode == EVENT_MODE_BINARY && !has_ce_header(request))) {
        intake_refuse(request, 415, formats, NULL, 0, 0);
        return false;
    }
    return true;
}

void intake_events(struct http_request *request, void *context)
{
    const struct intake *intake = context;
    enum event_mode mode;
    if (!http_bearer_ok(request, intake->token)) {
        intake_refuse(request, 401, "Authorization: Bearer <token> is missing or wrong", NULL, 0,
                      0);
        return;
    }
    if (!find_mode(request, &mode))
        return;

    struct arena arena;
    arena_init(&arena, intake->scratch_limit);
    struct reception reception = {
        .intake = intake,
        .request = request,
        .admission = {intake->kinds, intake->department, clock_wall_us()},
        .arena = &arena,
    };
    const struct record_header *headers;
    size_t count = http_request_headers(request, &headers);
    reception.trace = trace_parent_of_headers(headers, count);
    if (mode == EVENT_MODE_BATCH)
        receive_batch(&reception);
    else
        receive_one(&reception, mode);
    record_list_free(&reception.records);
    arena_free(&arena);
}

void intake_handshake(struct http_request *request, void *context)
{
    (void)context;
    struct http_header headers[4] = {{"Allow", "OPTIONS, POST"}};
    struct span origin = http_request_header(request, "WebHook-Request-Origin");
    if (origin.ptr) {
        const char *allowed = arena_strdup(http_request_arena(request), origin);
        if (!allowed) {
            intake_unable(request);
            return;
        }
        headers[1] = (struct http_header){"WebHook-Allowed-Origin", allowed};
        headers[2] = (struct http_header){"WebHook-Allowed-Rate", "*"};
    }
    intake_count_request(200);
    http_respond(request, 200, "text/plain", span_of(""), headers);
}
