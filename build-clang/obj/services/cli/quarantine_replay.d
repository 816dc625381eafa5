build-clang/obj/services/cli/quarantine_replay.o: \
  services/cli/quarantine_replay.c services/cli/quarantine_replay.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/pg/pg.h common/base/buffer.h \
  common/base/span.h common/base/clock.h common/base/hex.h \
  common/base/arena.h common/base/log.h common/json/json_pointer.h \
  services/aggregator/database.h services/aggregator/decode.h \
  services/aggregator/batch.h common/event/event_kafka.h \
  common/event/admission.h common/event/event.h common/event/identity.h \
  common/event/vocabulary.h common/json/predicate.h \
  common/kafka/record.h common/event/event_uid.h \
  common/kafka/kafka_consumer.h services/aggregator/handoff_asked.h \
  services/aggregator/handoff_states.h \
  services/aggregator/handoff_rules.h services/aggregator/events.h \
  services/aggregator/facts.h services/aggregator/columns.h \
  services/aggregator/handoffs.h services/aggregator/identities.h \
  services/aggregator/identity_cache.h services/aggregator/offsets.h \
  services/department/source_config.h common/http/signature.h \
  services/department/mapping.h build-clang/gen/sql.h

services/cli/quarantine_replay.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/span.h:

common/base/clock.h:

common/base/hex.h:

common/base/arena.h:

common/base/log.h:

common/json/json_pointer.h:

services/aggregator/database.h:

services/aggregator/decode.h:

services/aggregator/batch.h:

common/event/event_kafka.h:

common/event/admission.h:

common/event/event.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/kafka/record.h:

common/event/event_uid.h:

common/kafka/kafka_consumer.h:

services/aggregator/handoff_asked.h:

services/aggregator/handoff_states.h:

services/aggregator/handoff_rules.h:

services/aggregator/events.h:

services/aggregator/facts.h:

services/aggregator/columns.h:

services/aggregator/handoffs.h:

services/aggregator/identities.h:

services/aggregator/identity_cache.h:

services/aggregator/offsets.h:

services/department/source_config.h:

common/http/signature.h:

services/department/mapping.h:

build-clang/gen/sql.h:
