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

/* Fills key, value and headers (memory from the arena; spans of the event stay);
 * topic and partition are the caller's. Key: the strongest identity, a person's
 * before an account's. What the facts say replaces extensions of these names.
 *
 * An event without data gets an empty value, not none: the binding (section
 * 3.2.2) would have it without a value, but on a compacted topic that is a
 * tombstone, which deletes what came before it under the same key. Read back,
 * an empty value and none are both no data.
 *
 * JSON that came without datacontenttype gets the content-type that was implied
 * (JSON format, section 3.1.2). ERR_MEMORY. */
int event_to_record(const struct event *event, const struct event_facts *facts, struct arena *arena,
                    struct record *record) CHECKED;

/* Decodes a record in either mode, by its content-type. A header given twice is
 * a fault; headers without ce_ are no attributes. In binary mode data is not
 * looked at: event_facts_from_extensions or event_admit do. */
int event_from_record(const struct record *record, struct arena *arena, struct event *event,
                      struct fault *fault) CHECKED;

/* The fast way: facts from the extensions of a record that an intake wrote,
 * without parsing data (only json_scan_check). *complete is false when customer
 * or facts is missing, then nothing was checked and the caller asks event_admit.
 * The same checks on type, time, identities, owner, summary and money as
 * event_admit makes: anybody may write to the topic. What only data could tell
 * (required members, whether it says the same) is left to whoever wrote the
 * extensions. */
int event_facts_from_extensions(const struct admission *admission, const struct event *event,
                                struct arena *arena, struct event_facts *facts, bool *complete,
                                struct fault *fault) CHECKED;

#endif
