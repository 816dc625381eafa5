build-clang/obj/services/department/intake.o: \
  services/department/intake.c services/department/intake.h \
  common/event/admission.h common/event/event.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/base/error.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/http/problem.h common/base/buffer.h \
  common/http/http_server.h common/base/config.h common/base/options.h \
  common/kafka/record.h services/department/publish.h \
  common/kafka/kafka_producer.h services/department/source_config.h \
  common/http/signature.h services/department/mapping.h \
  common/base/clock.h common/base/list.h common/event/event_http.h \
  common/event/event_json.h common/event/event_kafka.h \
  common/event/trace_context.h common/json/json_pointer.h \
  common/json/json_scan.h services/department/intake_metrics.h

services/department/intake.h:

common/event/admission.h:

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/http/problem.h:

common/base/buffer.h:

common/http/http_server.h:

common/base/config.h:

common/base/options.h:

common/kafka/record.h:

services/department/publish.h:

common/kafka/kafka_producer.h:

services/department/source_config.h:

common/http/signature.h:

services/department/mapping.h:

common/base/clock.h:

common/base/list.h:

common/event/event_http.h:

common/event/event_json.h:

common/event/event_kafka.h:

common/event/trace_context.h:

common/json/json_pointer.h:

common/json/json_scan.h:

services/department/intake_metrics.h:
