build-clang/obj/services/department/runtime.o: \
  services/department/runtime.c common/base/clock.h common/base/log.h \
  common/base/program.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h common/base/stop.h \
  common/http/health.h common/http/http_server.h common/base/arena.h \
  common/base/span.h common/kafka/record.h common/http/http_client.h \
  common/base/buffer.h common/http/readiness.h \
  common/kafka/kafka_producer.h services/department/department.h \
  services/department/handoff_requests.h common/event/vocabulary.h \
  common/json/predicate.h services/department/handoff_message.h \
  common/event/event_uid.h services/department/intake.h \
  common/event/admission.h common/event/event.h common/event/identity.h \
  common/http/problem.h services/department/publish.h \
  services/department/source_config.h common/http/signature.h \
  services/department/mapping.h services/department/inbox.h \
  services/department/delivery.h services/department/handoff_change.h \
  services/department/intake_metrics.h services/department/receiver.h \
  services/department/delivery_queue.h

common/base/clock.h:

common/base/log.h:

common/base/program.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/stop.h:

common/http/health.h:

common/http/http_server.h:

common/base/arena.h:

common/base/span.h:

common/kafka/record.h:

common/http/http_client.h:

common/base/buffer.h:

common/http/readiness.h:

common/kafka/kafka_producer.h:

services/department/department.h:

services/department/handoff_requests.h:

common/event/vocabulary.h:

common/json/predicate.h:

services/department/handoff_message.h:

common/event/event_uid.h:

services/department/intake.h:

common/event/admission.h:

common/event/event.h:

common/event/identity.h:

common/http/problem.h:

services/department/publish.h:

services/department/source_config.h:

common/http/signature.h:

services/department/mapping.h:

services/department/inbox.h:

services/department/delivery.h:

services/department/handoff_change.h:

services/department/intake_metrics.h:

services/department/receiver.h:

services/department/delivery_queue.h:
