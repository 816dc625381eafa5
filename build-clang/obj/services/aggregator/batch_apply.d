build-clang/obj/services/aggregator/batch_apply.o: \
  services/aggregator/batch_apply.c services/aggregator/batch_apply.h \
  services/aggregator/events.h common/pg/pg.h common/base/buffer.h \
  common/base/error.h common/base/span.h services/aggregator/batch.h \
  common/base/arena.h common/event/event_kafka.h \
  common/event/admission.h common/event/event.h common/base/fault.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/kafka/record.h common/event/event_uid.h \
  common/kafka/kafka_consumer.h common/base/config.h \
  common/base/options.h services/aggregator/handoff_asked.h \
  services/aggregator/handoff_states.h \
  services/aggregator/handoff_rules.h \
  services/aggregator/identity_cache.h common/base/retry.h \
  common/base/stop.h services/aggregator/facts.h \
  services/aggregator/columns.h services/aggregator/handoffs.h \
  services/aggregator/identities.h services/aggregator/offsets.h \
  services/aggregator/quarantine.h

services/aggregator/batch_apply.h:

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

services/aggregator/handoff_rules.h:

services/aggregator/identity_cache.h:

common/base/retry.h:

common/base/stop.h:

services/aggregator/facts.h:

services/aggregator/columns.h:

services/aggregator/handoffs.h:

services/aggregator/identities.h:

services/aggregator/offsets.h:

services/aggregator/quarantine.h:
