build-clang/obj/services/aggregator/handoff_asked.o: \
  services/aggregator/handoff_asked.c \
  services/aggregator/handoff_asked.h common/base/fault.h \
  common/base/error.h common/event/event.h common/base/arena.h \
  common/base/span.h common/event/event_uid.h \
  services/aggregator/handoff_states.h common/base/hex.h \
  common/base/buffer.h common/event/fact_checks.h \
  common/event/admission.h common/event/identity.h \
  common/event/vocabulary.h common/json/predicate.h \
  common/event/system_events.h common/json/json_pointer.h

services/aggregator/handoff_asked.h:

common/base/fault.h:

common/base/error.h:

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/event/event_uid.h:

services/aggregator/handoff_states.h:

common/base/hex.h:

common/base/buffer.h:

common/event/fact_checks.h:

common/event/admission.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/event/system_events.h:

common/json/json_pointer.h:
