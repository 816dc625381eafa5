build-clang/obj/services/department/webhook.o: \
  services/department/webhook.c common/base/clock.h common/base/log.h \
  common/event/event_kafka.h common/event/admission.h \
  common/event/event.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/event/identity.h \
  common/event/vocabulary.h common/json/predicate.h \
  common/kafka/record.h common/event/trace_context.h \
  common/json/json_pointer.h common/json/json_scan.h \
  services/department/intake.h common/http/problem.h \
  common/base/buffer.h common/http/http_server.h common/base/config.h \
  common/base/options.h services/department/publish.h \
  common/kafka/kafka_producer.h services/department/source_config.h \
  common/http/signature.h services/department/mapping.h \
  services/department/intake_metrics.h

common/base/clock.h:

common/base/log.h:

common/event/event_kafka.h:

common/event/admission.h:

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/kafka/record.h:

common/event/trace_context.h:

common/json/json_pointer.h:

common/json/json_scan.h:

services/department/intake.h:

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

services/department/intake_metrics.h:
