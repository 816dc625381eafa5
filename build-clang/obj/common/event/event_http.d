build-clang/obj/common/event/event_http.o: common/event/event_http.c \
  common/event/event_http.h common/event/event.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/base/error.h \
  common/kafka/record.h common/base/hex.h common/base/buffer.h \
  common/event/event_text.h common/json/json_scan.h

common/event/event_http.h:

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/kafka/record.h:

common/base/hex.h:

common/base/buffer.h:

common/event/event_text.h:

common/json/json_scan.h:
