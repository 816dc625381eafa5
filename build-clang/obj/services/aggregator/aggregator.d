build-clang/obj/services/aggregator/aggregator.o: \
  services/aggregator/aggregator.c services/aggregator/aggregator.h \
  common/base/clock.h common/base/log.h common/base/program.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/base/stop.h common/event/system_events.h \
  common/base/span.h common/http/health.h common/http/http_server.h \
  common/base/arena.h common/kafka/record.h common/http/readiness.h \
  common/kafka/kafka_consumer.h services/aggregator/database.h \
  common/pg/pg.h common/base/buffer.h services/aggregator/duty.h \
  services/aggregator/lease.h common/metrics.h \
  services/aggregator/handoff_metrics.h services/aggregator/relay.h \
  common/event/vocabulary.h common/json/predicate.h \
  services/aggregator/handoff_rules.h \
  services/aggregator/stage_metrics.h services/aggregator/batch.h \
  common/event/event_kafka.h common/event/admission.h \
  common/event/event.h common/event/identity.h common/event/event_uid.h \
  services/aggregator/handoff_asked.h \
  services/aggregator/handoff_states.h services/aggregator/watch.h \
  services/aggregator/writer.h

services/aggregator/aggregator.h:

common/base/clock.h:

common/base/log.h:

common/base/program.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/stop.h:

common/event/system_events.h:

common/base/span.h:

common/http/health.h:

common/http/http_server.h:

common/base/arena.h:

common/kafka/record.h:

common/http/readiness.h:

common/kafka/kafka_consumer.h:

services/aggregator/database.h:

common/pg/pg.h:

common/base/buffer.h:

services/aggregator/duty.h:

services/aggregator/lease.h:

common/metrics.h:

services/aggregator/handoff_metrics.h:

services/aggregator/relay.h:

common/event/vocabulary.h:

common/json/predicate.h:

services/aggregator/handoff_rules.h:

services/aggregator/stage_metrics.h:

services/aggregator/batch.h:

common/event/event_kafka.h:

common/event/admission.h:

common/event/event.h:

common/event/identity.h:

common/event/event_uid.h:

services/aggregator/handoff_asked.h:

services/aggregator/handoff_states.h:

services/aggregator/watch.h:

services/aggregator/writer.h:
