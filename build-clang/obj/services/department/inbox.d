build-clang/obj/services/department/inbox.o: services/department/inbox.c \
  services/department/inbox.h services/department/delivery.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/kafka/kafka_producer.h \
  common/kafka/record.h common/base/span.h \
  services/department/handoff_change.h common/event/event_uid.h \
  common/base/clock.h common/base/log.h common/base/retry.h \
  common/base/sync.h common/kafka/kafka_consumer.h common/base/arena.h \
  services/department/delivery_metrics.h \
  services/department/delivery_queue.h

services/department/inbox.h:

services/department/delivery.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/kafka/kafka_producer.h:

common/kafka/record.h:

common/base/span.h:

services/department/handoff_change.h:

common/event/event_uid.h:

common/base/clock.h:

common/base/log.h:

common/base/retry.h:

common/base/sync.h:

common/kafka/kafka_consumer.h:

common/base/arena.h:

services/department/delivery_metrics.h:

services/department/delivery_queue.h:
