build-clang/obj/services/aggregator/events.o: \
  services/aggregator/events.c services/aggregator/events.h \
  common/pg/pg.h common/base/buffer.h common/base/error.h \
  common/base/span.h services/aggregator/batch.h common/base/arena.h \
  common/event/event_kafka.h common/event/admission.h \
  common/event/event.h common/base/fault.h common/event/identity.h \
  common/event/vocabulary.h common/json/predicate.h \
  common/kafka/record.h common/event/event_uid.h \
  common/kafka/kafka_consumer.h common/base/config.h \
  common/base/options.h services/aggregator/handoff_asked.h \
  services/aggregator/handoff_states.h common/base/log.h \
  build-clang/gen/sql.h

services/aggregator/events.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

services/aggregator/batch.h:

common/base/arena.h:

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

common/base/log.h:

build-clang/gen/sql.h:
