build-clang/obj/services/aggregator/session.o: \
  services/aggregator/session.c services/aggregator/session.h \
  common/kafka/kafka_consumer.h common/base/arena.h common/base/span.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/kafka/record.h \
  services/aggregator/batch_apply.h services/aggregator/events.h \
  common/pg/pg.h common/base/buffer.h services/aggregator/batch.h \
  common/event/event_kafka.h common/event/admission.h \
  common/event/event.h common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/event/event_uid.h \
  services/aggregator/handoff_asked.h \
  services/aggregator/handoff_states.h \
  services/aggregator/handoff_rules.h \
  services/aggregator/identity_cache.h services/aggregator/decode.h \
  services/aggregator/writer.h services/aggregator/relay.h \
  common/base/clock.h common/base/log.h common/base/stop.h \
  services/aggregator/database.h services/aggregator/event_types.h \
  services/aggregator/hold.h services/aggregator/offsets.h \
  services/aggregator/stage_metrics.h

services/aggregator/session.h:

common/kafka/kafka_consumer.h:

common/base/arena.h:

common/base/span.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/kafka/record.h:

services/aggregator/batch_apply.h:

services/aggregator/events.h:

common/pg/pg.h:

common/base/buffer.h:

services/aggregator/batch.h:

common/event/event_kafka.h:

common/event/admission.h:

common/event/event.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/event/event_uid.h:

services/aggregator/handoff_asked.h:

services/aggregator/handoff_states.h:

services/aggregator/handoff_rules.h:

services/aggregator/identity_cache.h:

services/aggregator/decode.h:

services/aggregator/writer.h:

services/aggregator/relay.h:

common/base/clock.h:

common/base/log.h:

common/base/stop.h:

services/aggregator/database.h:

services/aggregator/event_types.h:

services/aggregator/hold.h:

services/aggregator/offsets.h:

services/aggregator/stage_metrics.h:
