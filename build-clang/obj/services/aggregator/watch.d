build-clang/obj/services/aggregator/watch.o: services/aggregator/watch.c \
  services/aggregator/watch.h services/aggregator/writer.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/event/identity.h common/base/arena.h \
  common/base/span.h common/event/vocabulary.h common/json/predicate.h \
  services/aggregator/handoff_rules.h services/aggregator/relay.h \
  common/base/clock.h common/base/log.h common/base/stop.h \
  common/event/system_events.h services/aggregator/duty.h \
  services/aggregator/lease.h common/metrics.h common/base/buffer.h \
  common/pg/pg.h services/aggregator/judgement.h \
  common/kafka/kafka_admin.h build-clang/gen/sql.h

services/aggregator/watch.h:

services/aggregator/writer.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/event/identity.h:

common/base/arena.h:

common/base/span.h:

common/event/vocabulary.h:

common/json/predicate.h:

services/aggregator/handoff_rules.h:

services/aggregator/relay.h:

common/base/clock.h:

common/base/log.h:

common/base/stop.h:

common/event/system_events.h:

services/aggregator/duty.h:

services/aggregator/lease.h:

common/metrics.h:

common/base/buffer.h:

common/pg/pg.h:

services/aggregator/judgement.h:

common/kafka/kafka_admin.h:

build-clang/gen/sql.h:
