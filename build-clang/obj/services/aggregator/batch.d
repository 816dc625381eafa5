build-clang/obj/services/aggregator/batch.o: services/aggregator/batch.c \
  services/aggregator/batch.h common/base/arena.h common/base/span.h \
  common/base/buffer.h common/base/error.h common/event/event_kafka.h \
  common/event/admission.h common/event/event.h common/base/fault.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/kafka/record.h common/event/event_uid.h \
  common/kafka/kafka_consumer.h common/base/config.h \
  common/base/options.h services/aggregator/handoff_asked.h \
  services/aggregator/handoff_states.h common/base/hash.h \
  common/base/hex.h common/base/list.h common/base/log.h \
  common/event/trace_context.h common/json/decimal.h common/pg/pg.h

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

common/base/hash.h:

common/base/hex.h:

common/base/list.h:

common/base/log.h:

common/event/trace_context.h:

common/json/decimal.h:

common/pg/pg.h:
