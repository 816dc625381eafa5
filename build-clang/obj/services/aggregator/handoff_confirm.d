build-clang/obj/services/aggregator/handoff_confirm.o: \
  services/aggregator/handoff_confirm.c \
  services/aggregator/handoff_confirm.h common/pg/pg.h \
  common/base/buffer.h common/base/error.h common/base/span.h \
  services/aggregator/handoff_rules.h common/event/vocabulary.h \
  common/base/arena.h common/base/fault.h common/json/predicate.h \
  common/base/clock.h common/base/log.h \
  services/aggregator/handoff_work.h services/aggregator/handoff_fold.h \
  common/event/event_uid.h services/aggregator/handoff_states.h \
  services/aggregator/handoffs.h services/aggregator/batch.h \
  common/event/event_kafka.h common/event/admission.h \
  common/event/event.h common/event/identity.h common/kafka/record.h \
  common/kafka/kafka_consumer.h common/base/config.h \
  common/base/options.h services/aggregator/handoff_asked.h \
  build-clang/gen/sql.h

services/aggregator/handoff_confirm.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

services/aggregator/handoff_rules.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/fault.h:

common/json/predicate.h:

common/base/clock.h:

common/base/log.h:

services/aggregator/handoff_work.h:

services/aggregator/handoff_fold.h:

common/event/event_uid.h:

services/aggregator/handoff_states.h:

services/aggregator/handoffs.h:

services/aggregator/batch.h:

common/event/event_kafka.h:

common/event/admission.h:

common/event/event.h:

common/event/identity.h:

common/kafka/record.h:

common/kafka/kafka_consumer.h:

common/base/config.h:

common/base/options.h:

services/aggregator/handoff_asked.h:

build-clang/gen/sql.h:
