build-clang/obj/services/department/handoff_change.o: \
  services/department/handoff_change.c \
  services/department/handoff_change.h common/base/fault.h \
  common/base/error.h common/event/event_uid.h common/base/span.h \
  common/kafka/record.h common/base/hex.h common/base/arena.h \
  common/base/buffer.h common/event/event_json.h common/event/event.h \
  common/event/event_kafka.h common/event/admission.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/event/system_events.h \
  common/event/trace_context.h common/json/json_pointer.h

services/department/handoff_change.h:

common/base/fault.h:

common/base/error.h:

common/event/event_uid.h:

common/base/span.h:

common/kafka/record.h:

common/base/hex.h:

common/base/arena.h:

common/base/buffer.h:

common/event/event_json.h:

common/event/event.h:

common/event/event_kafka.h:

common/event/admission.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/event/system_events.h:

common/event/trace_context.h:

common/json/json_pointer.h:
