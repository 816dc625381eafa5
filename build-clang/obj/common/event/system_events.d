build-clang/obj/common/event/system_events.o: \
  common/event/system_events.c common/event/system_events.h \
  common/base/span.h

common/event/system_events.h:

common/base/span.h:
