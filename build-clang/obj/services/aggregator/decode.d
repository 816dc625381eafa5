build-clang/obj/services/aggregator/decode.o: \
  services/aggregator/decode.c services/aggregator/decode.h \
  services/aggregator/batch.h common/base/arena.h common/base/span.h \
  common/base/buffer.h common/base/error.h common/event/event_kafka.h \
  common/event/admission.h common/event/event.h common/base/fault.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/kafka/record.h common/event/event_uid.h \
  common/kafka/kafka_consumer.h common/base/config.h \
  common/base/options.h services/aggregator/handoff_asked.h \
  services/aggregator/handoff_states.h \
  services/aggregator/handoff_rules.h common/event/fact_checks.h \
  common/event/system_department.h common/event/system_events.h \
  common/json/json_pointer.h services/aggregator/facts.h common/pg/pg.h \
  services/aggregator/columns.h

services/aggregator/decode.h:

services/aggregator/batch.h:

common/base/arena.h:

common/base/span.h:

common/base/buffer.h:

common/base/error.h:

common/event/event_kafka.h:

common/event/admission.h:

common/event/event.h:

common/base/fault.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/kafka/record.h:

common/event/event_uid.h:

common/kafka/kafka_consumer.h:

common/base/config.h:

common/base/options.h:

services/aggregator/handoff_asked.h:

services/aggregator/handoff_states.h:

services/aggregator/handoff_rules.h:

common/event/fact_checks.h:

common/event/system_department.h:

common/event/system_events.h:

common/json/json_pointer.h:

services/aggregator/facts.h:

common/pg/pg.h:

services/aggregator/columns.h:
