build-clang/obj/common/event/event_json.o: common/event/event_json.c \
  common/event/event_json.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/event/event.h common/base/arena.h \
  common/base/fault.h common/base/hex.h common/event/event_text.h \
  common/json/json_pointer.h common/json/json_scan.h

common/event/event_json.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/event/event.h:

common/base/arena.h:

common/base/fault.h:

common/base/hex.h:

common/event/event_text.h:

common/json/json_pointer.h:

common/json/json_scan.h:
