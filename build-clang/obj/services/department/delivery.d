build-clang/obj/services/department/delivery.o: \
  services/department/delivery.c services/department/delivery.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/kafka/kafka_producer.h \
  common/kafka/record.h common/base/span.h \
  services/department/handoff_change.h common/event/event_uid.h \
  common/base/clock.h common/base/log.h common/base/sync.h \
  services/department/delivery_log.h common/http/http_client.h \
  common/base/buffer.h services/department/receiver.h \
  services/department/delivery_queue.h \
  services/department/delivery_metrics.h \
  services/department/delivery_reports.h

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

common/base/sync.h:

services/department/delivery_log.h:

common/http/http_client.h:

common/base/buffer.h:

services/department/receiver.h:

services/department/delivery_queue.h:

services/department/delivery_metrics.h:

services/department/delivery_reports.h:
