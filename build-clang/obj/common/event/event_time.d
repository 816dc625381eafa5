build-clang/obj/common/event/event_time.o: common/event/event_time.c \
  common/event/event_time.h common/base/error.h common/base/span.h

common/event/event_time.h:

common/base/error.h:

common/base/span.h:
