/*
 * W3C Trace Context, as far as Throughline goes: who sent something to it may have said to which
 * trace that belongs, and whoever gets what came of it is told the same. Nothing here begins a span
 * of its own. Pure.
 *
 * CloudEvents carry it as the extension `traceparent` (Distributed Tracing extension 1.0), HTTP as
 * the header of that name.
 */
#ifndef COMMON_EVENT_TRACE_CONTEXT_H
#define COMMON_EVENT_TRACE_CONTEXT_H

#include "common/event/event.h"
#include "common/kafka/record.h"

#define TRACE_PARENT       "traceparent" /* the extension, and the header */
#define TRACE_PARENT_LIMIT 256           /* bytes; version 00 has 55 */

/* `text` where it is a traceparent (Trace Context, section 3.2.2: version 00, or a later one that
 * begins likewise), else absent: the spec wants one that is none ignored, and nothing refused for
 * it. */
struct span trace_parent(struct span text);

/* Of several headers of the name none counts. */
struct span trace_parent_of_headers(const struct record_header *headers, size_t count);

/* Leaves the event with the traceparent that it has, or else with `given` (which trace_parent let
 * through, or absent); takes away one that is none. An event with as many extensions as it can have
 * goes without. */
void trace_event(struct event *event, struct span given);

#endif
