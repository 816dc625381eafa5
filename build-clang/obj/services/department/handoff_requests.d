build-clang/obj/services/department/handoff_requests.o: \
  services/department/handoff_requests.c \
  services/department/handoff_requests.h common/event/vocabulary.h \
  common/base/arena.h common/base/span.h common/base/fault.h \
  common/base/error.h common/json/predicate.h \
  services/department/handoff_message.h common/event/event_uid.h \
  common/kafka/record.h services/department/intake.h \
  common/event/admission.h common/event/event.h common/event/identity.h \
  common/http/problem.h common/base/buffer.h common/http/http_server.h \
  common/base/config.h common/base/options.h \
  services/department/publish.h common/kafka/kafka_producer.h \
  services/department/source_config.h common/http/signature.h \
  services/department/mapping.h common/base/clock.h \
  common/event/system_events.h common/event/trace_context.h \
  common/json/json_pointer.h services/department/handoff_change.h \
  services/department/intake_metrics.h

services/department/handoff_requests.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/json/predicate.h:

services/department/handoff_message.h:

common/event/event_uid.h:

common/kafka/record.h:

services/department/intake.h:

common/event/admission.h:

common/event/event.h:

common/event/identity.h:

common/http/problem.h:

common/base/buffer.h:

common/http/http_server.h:

common/base/config.h:

common/base/options.h:

services/department/publish.h:

common/kafka/kafka_producer.h:

services/department/source_config.h:

common/http/signature.h:

services/department/mapping.h:

common/base/clock.h:

common/event/system_events.h:

common/event/trace_context.h:

common/json/json_pointer.h:

services/department/handoff_change.h:

services/department/intake_metrics.h:
