/*
 * The front door of a department: HTTP requests in, records for the publisher
 * out. Handlers run on the HTTP server's threads, wait for nothing, and keep
 * nothing of a request but its body until it is answered.
 */
#ifndef SERVICES_DEPARTMENT_INTAKE_H
#define SERVICES_DEPARTMENT_INTAKE_H

#include "common/event/admission.h"
#include "common/http/problem.h"
#include "services/department/publish.h"
#include "services/department/source_config.h"

struct intake { /* read-only while requests are served; everything borrowed */
    const struct department *department;
    const struct vocabulary *vocabulary; /* all departments */
    const struct identity_kinds *kinds;
    const struct sources *sources;
    struct publisher *publisher;
    const char *token;    /* NULL: /events and sources without a signature are open */
    size_t event_limit;   /* bytes of one event at /events */
    size_t scratch_limit; /* bytes that handling one request may take */
};

/* Handlers; `context` is a struct intake. */
http_handler intake_events;    /* POST /events */
http_handler intake_handshake; /* OPTIONS /events: CloudEvents' WebHook spec, section 4 */
http_handler webhook_receive;  /* POST /webhooks/<source> */

/* Answers with a problem and counts it, with the events that it refuses. */
void intake_refuse(struct http_request *request, int status, const char *detail,
                   const struct problem_error *errors, size_t error_count, size_t events);

/* ERR_MEMORY and the like: a passing fault of ours, 503. */
void intake_unable(struct http_request *request);

/* Whether a header comes twice, where which of the two would count decides how a body is read. */
bool intake_comes_twice(const struct http_request *request, const char *name);

/* The records of one request, growing. Starts zeroed. */
struct record_list {
    struct record *items;
    size_t count, capacity;
};

/* ERR_MEMORY. The record's own memory must outlive the list. */
int record_list_add(struct record_list *list, const struct record *record) CHECKED;
void record_list_free(struct record_list *list);

#endif
