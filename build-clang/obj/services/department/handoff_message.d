build-clang/obj/services/department/handoff_message.o: \
  services/department/handoff_message.c \
  services/department/handoff_message.h common/base/arena.h \
  common/base/span.h common/base/error.h common/event/event_uid.h \
  common/kafka/record.h common/base/buffer.h common/base/log.h \
  common/event/event_time.h

services/department/handoff_message.h:

common/base/arena.h:

common/base/span.h:

common/base/error.h:

common/event/event_uid.h:

common/kafka/record.h:

common/base/buffer.h:

common/base/log.h:

common/event/event_time.h:
