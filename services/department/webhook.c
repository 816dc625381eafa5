/* POST /webhooks/<source>: the system's own payload, mapped by its source file. */
#include <stdatomic.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/event/event_kafka.h"
#include "common/event/trace_context.h"
#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"
#include "services/department/intake.h"
#include "services/department/intake_metrics.h"

/* No sender puts more into one request (HubSpot: 100); beyond it the body is
 * quarantined as one, so that a request cannot become a million records. */
#define ELEMENTS_LIMIT 1000

/* Values that are looked at one by one: parsed, each takes up to some 250 bytes beside its own,
 * so that a body of a million brackets would become 50 MB. Payloads have hundreds. */
#define VALUES_LIMIT 50000

#define PATH_PREFIX "/webhooks/"

/* One webhook request while it is handled. */
struct reception {
    const struct intake *intake;
    const struct source *source;
    struct admission admission;
    const struct record_header *headers;
    size_t header_count;
    struct arena *arena;
    struct record_list records;
    struct publish_counts counts;
};

/* NULL when the request has been answered. */
static const struct source *find_source(const struct intake *intake, struct http_request *request)
{
    struct span name = http_request_path(request);
    name.ptr += sizeof PATH_PREFIX - 1;
    name.len -= sizeof PATH_PREFIX - 1;
    const struct source *source = sources_find(intake->sources, name);
    if (!source || source->department != intake->department)
        intake_refuse(request, 404, "this department has no source of that name", NULL, 0, 0);
    else if (source->off)
        intake_refuse(request, 404, "the source is off: its secret is not set", NULL, 0, 0);
    else
        return source;
    return NULL;
}

/* At most a line a second: whoever sends bad signatures does not fill the log. */
static void log_refusal(const struct source *source, const char *reason)
{
    static atomic_int_fast64_t last_ms = INT64_MIN / 2;
    int64_t now = clock_monotonic_ms();
    int64_t last = atomic_load(&last_ms);
    if (now - last >= 1000 && atomic_compare_exchange_strong(&last_ms, &last, now))
        log_warn("webhook refused", LOG_TEXT("source", source->name), LOG_TEXT("reason", reason));
}

static void refuse_sender(const struct source *source, struct http_request *request,
                          const char *reason)
{
    const struct http_header headers[] = {
        {"WWW-Authenticate", signature_challenge(source->signature)}, {NULL, NULL}};
    log_refusal(source, reason);
    intake_count_request(401);
    intake_count_refusal(401, NULL);
    http_respond_problem_with(request, 401, reason, NULL, 0, headers);
}

/* False when the request has been answered. */
static bool authentic(const struct reception *reception, struct http_request *request)
{
    struct fault fault = {0};
    const struct signature *signature = reception->source->signature;
    const struct signed_message message = {http_request_method(request),
                                           http_request_target(request), http_request_body(request),
                                           reception->headers, reception->header_count};
    /* Where nothing is signed, the token is wanted as it is at /events: on loopback
     * too, since a proxy may stand in front. */
    if (signature_checks_nothing(signature) && !http_bearer_ok(request, reception->intake->token)) {
        intake_refuse(request, 401, "Authorization: Bearer <token> is missing or wrong", NULL, 0,
                      0);
        return false;
    }
    int rc = signature_verify(signature, &message, reception->admission.now, &fault);
    if (rc == 0)
        return true;
    if (rc == ERR_INVALID)
        refuse_sender(reception->source, request, fault.detail);
    else
        intake_unable(request);
    return false;
}

static struct span header_value(const struct reception *reception, const char *name)
{
    for (size_t i = 0; i < reception->header_count; i++)
        if (span_is_nocase(reception->headers[i].name, name))
            return reception->headers[i].value;
    return (struct span){NULL, 0};
}

/* The bytes as they came, with all that a replay needs to map them again. */
static int quarantine(struct reception *reception, struct span text, const char *reason)
{
    const char *const *names;
    size_t name_count = mapping_headers(reception->source->mapping, &names);
    struct record_header *headers =
        arena_alloc(reception->arena, RECORD_HEADERS_LIMIT * sizeof *headers);
    if (!headers)
        return ERR_MEMORY;
    size_t count = 0;
    headers[count++] = (struct record_header){span_of("content-type"), span_of("application/json")};
    headers[count++] =
        (struct record_header){span_of(HEADER_SOURCE), span_of(reception->source->name)};
    headers[count++] = (struct record_header){span_of(HEADER_REASON), span_of(reason)};
    for (size_t i = 0; i < name_count && count < RECORD_HEADERS_LIMIT; i++) {
        struct span value = header_value(reception, names[i]);
        if (value.ptr)
            headers[count++] = (struct record_header){span_of(names[i]), value};
    }
    const struct record record = {
        .partition = -1, .value = text, .headers = headers, .header_count = count};
    reception->counts.quarantined++;
    return record_list_add(&reception->records, &record);
}

static int take_element(struct reception *reception, const struct mapping_element *element)
{
    struct mapped mapped;
    struct record record = {.partition = -1};
    int rc = mapping_apply(reception->source->mapping, &reception->admission, element,
                           reception->headers, reception->header_count, reception->arena, &mapped);
    if (rc)
        return rc;
    switch (mapped.outcome) {
    case MAPPED_IGNORED:
        reception->counts.ignored++;
        return 0;
    case MAPPED_QUARANTINE:
        return quarantine(reception, element->text, mapped.reason);
    case MAPPED_EVENT:
        break;
    }
    trace_event(&mapped.event,
                trace_parent_of_headers(reception->headers, reception->header_count));
    rc = event_to_record(&mapped.event, &mapped.facts, reception->arena, &record);
    reception->counts.accepted++;
    return rc ? rc : record_list_add(&reception->records, &record);
}

static bool too_many_elements(const struct mapping *mapping, struct span text, json_t *tree)
{
    struct mapping_element element;
    struct mapping_cursor cursor = {0};
    size_t count = 0;
    while (count <= ELEMENTS_LIMIT && mapping_next(mapping, text, tree, &cursor, &element))
        count++;
    return count > ELEMENTS_LIMIT;
}

static int take_body(struct reception *reception, struct span text, json_t *tree)
{
    const struct mapping *mapping = reception->source->mapping;
    struct mapping_element element;
    struct mapping_cursor cursor = {0};
    int rc = 0;
    if (too_many_elements(mapping, text, tree))
        return quarantine(reception, text, "more than 1000 elements in one request");
    while (!rc && mapping_next(mapping, text, tree, &cursor, &element))
        rc = take_element(reception, &element);
    return rc;
}

/* JSON that cannot be held is for quarantine as it came, with the reason.
 * ERR_INVALID, and why in `fault`: it is no JSON. */
static int take_unreadable(struct reception *reception, struct span body, struct fault *fault)
{
    char *reason = arena_printf(reception->arena, "%s%s%s", fault->pointer,
                                fault->pointer[0] ? " " : "", fault->detail);
    if (!reason)
        return ERR_MEMORY;
    int rc = json_scan_grammar(json_without_mark(body), fault);
    return rc ? rc : quarantine(reception, body, reason);
}

/* At least as many as there are: commas and brackets in strings count, too. */
static bool too_many_values(struct span text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',' || text.ptr[i] == '[' || text.ptr[i] == '{';
    return count > VALUES_LIMIT;
}

/* Maps what the body tells. ERR_INVALID, with the fault: it is no JSON. */
static int read_body(struct reception *reception, struct span body, struct fault *fault)
{
    struct span text;
    json_t *tree;
    if (too_many_values(body)) {
        fault_set(fault, "", "more than %d values in one request", VALUES_LIMIT);
        return take_unreadable(reception, body, fault);
    }
    int rc = json_read(body, &tree, &text, fault);
    if (rc == ERR_INVALID)
        return take_unreadable(reception, body, fault);
    if (rc)
        return rc;
    rc = take_body(reception, text, tree);
    json_decref(tree);
    return rc;
}

static void map_and_publish(struct reception *reception, struct http_request *request)
{
    struct fault fault = {0};
    int rc = read_body(reception, http_request_body(request), &fault);
    if (rc == ERR_INVALID) {
        struct problem_error error = {-1, fault.pointer, fault.detail};
        intake_refuse(request, 400, "the body is no JSON", &error, 1, 1);
    } else if (rc) {
        intake_unable(request);
    } else {
        publish_and_respond(reception->intake->publisher, request, reception->records.items,
                            reception->records.count, &reception->counts);
    }
}

void webhook_receive(struct http_request *request, void *context)
{
    const struct intake *intake = context;
    const struct source *source = find_source(intake, request);
    if (!source)
        return;
    struct arena arena;
    arena_init(&arena, intake->scratch_limit);
    struct reception reception = {
        .intake = intake,
        .source = source,
        .admission = {intake->kinds, intake->department, clock_wall_us()},
        .arena = &arena,
        .counts = {.webhook = true},
    };
    reception.header_count = http_request_headers(request, &reception.headers);
    if (authentic(&reception, request))
        map_and_publish(&reception, request);
    record_list_free(&reception.records);
    arena_free(&arena);
}
