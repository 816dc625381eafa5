/*
 * CloudEvents Kafka binding 1.0. We write binary mode: ce_ headers in UTF-8
 * (no percent-encoding), content-type, data as the value byte for byte, key =
 * the strongest identity. We read binary and structured mode.
 */
#ifndef COMMON_EVENT_EVENT_KAFKA_H
#define COMMON_EVENT_EVENT_KAFKA_H

#include "common/event/admission.h"
#include "common/event/event.h"
#include "common/kafka/record.h"

/* Headers that mark a record for quarantine (contract). */
#define HEADER_SOURCE "throughline_source"
#define HEADER_REASON "throughline_reason"

/* Fills key, value and headers (memory from the arena; spans of the event stay). */
int event_to_record(const struct event *event, const struct event_facts *facts, struct arena *arena,
                    struct record *record) CHECKED;

/* Decodes a record in either mode. A header given twice is a fault. */
int event_from_record(const struct record *record, struct arena *arena, struct event *event,
                      struct fault *fault) CHECKED;

/* The fast way: facts from the extensions of a record that an intake wrote,
 * without parsing data (only json_scan_check). *complete is false when an
 * extension is missing, then the caller asks event_admit. The same checks on
 * time, identities and type as event_admit makes. */
int event_facts_from_extensions(const struct admission *admission, const struct event *event,
                                struct arena *arena, struct event_facts *facts, bool *complete,
                                struct fault *fault) CHECKED;

#endif
