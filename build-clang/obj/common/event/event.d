build-clang/obj/common/event/event.o: common/event/event.c \
  common/event/event.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/event/event_text.h \
  common/event/event_time.h common/event/uri.h

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/event/event_text.h:

common/event/event_time.h:

common/event/uri.h:
