build-clang/obj/services/department/receiver.o: \
  services/department/receiver.c services/department/receiver.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h services/department/delivery_queue.h \
  common/base/span.h services/department/handoff_change.h \
  common/event/event_uid.h common/kafka/record.h common/event/event.h \
  common/base/arena.h common/event/trace_context.h \
  common/http/http_client.h common/base/buffer.h common/http/signature.h

services/department/receiver.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

services/department/delivery_queue.h:

common/base/span.h:

services/department/handoff_change.h:

common/event/event_uid.h:

common/kafka/record.h:

common/event/event.h:

common/base/arena.h:

common/event/trace_context.h:

common/http/http_client.h:

common/base/buffer.h:

common/http/signature.h:
