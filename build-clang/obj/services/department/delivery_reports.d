build-clang/obj/services/department/delivery_reports.o: \
  services/department/delivery_reports.c \
  services/department/delivery_reports.h common/kafka/kafka_producer.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/kafka/record.h common/base/span.h \
  services/department/delivery_queue.h \
  services/department/handoff_change.h common/event/event_uid.h \
  common/event/event.h common/base/arena.h common/event/system_events.h \
  services/department/handoff_message.h

services/department/delivery_reports.h:

common/kafka/kafka_producer.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/kafka/record.h:

common/base/span.h:

services/department/delivery_queue.h:

services/department/handoff_change.h:

common/event/event_uid.h:

common/event/event.h:

common/base/arena.h:

common/event/system_events.h:

services/department/handoff_message.h:
