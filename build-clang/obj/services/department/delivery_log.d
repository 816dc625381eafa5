build-clang/obj/services/department/delivery_log.o: \
  services/department/delivery_log.c services/department/delivery_log.h \
  common/http/http_client.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/base/fault.h \
  services/department/handoff_change.h common/event/event_uid.h \
  common/kafka/record.h services/department/receiver.h \
  common/base/config.h common/base/options.h \
  services/department/delivery_queue.h common/base/clock.h \
  common/base/log.h

services/department/delivery_log.h:

common/http/http_client.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/fault.h:

services/department/handoff_change.h:

common/event/event_uid.h:

common/kafka/record.h:

services/department/receiver.h:

common/base/config.h:

common/base/options.h:

services/department/delivery_queue.h:

common/base/clock.h:

common/base/log.h:
