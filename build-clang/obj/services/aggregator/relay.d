build-clang/obj/services/aggregator/relay.o: services/aggregator/relay.c \
  services/aggregator/relay.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h common/event/vocabulary.h \
  common/base/arena.h common/base/span.h common/json/predicate.h \
  services/aggregator/handoff_rules.h common/base/clock.h \
  common/base/hash.h common/base/log.h common/base/stop.h \
  common/base/sync.h common/event/system_events.h \
  common/kafka/kafka_producer.h common/kafka/record.h \
  services/aggregator/duty.h services/aggregator/lease.h \
  common/metrics.h common/base/buffer.h common/pg/pg.h \
  services/aggregator/handoff_confirm.h \
  services/aggregator/relay_record.h services/aggregator/relay_window.h \
  build-clang/gen/sql.h

services/aggregator/relay.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/json/predicate.h:

services/aggregator/handoff_rules.h:

common/base/clock.h:

common/base/hash.h:

common/base/log.h:

common/base/stop.h:

common/base/sync.h:

common/event/system_events.h:

common/kafka/kafka_producer.h:

common/kafka/record.h:

services/aggregator/duty.h:

services/aggregator/lease.h:

common/metrics.h:

common/base/buffer.h:

common/pg/pg.h:

services/aggregator/handoff_confirm.h:

services/aggregator/relay_record.h:

services/aggregator/relay_window.h:

build-clang/gen/sql.h:
