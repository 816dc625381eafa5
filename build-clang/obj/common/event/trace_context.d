build-clang/obj/common/event/trace_context.o: \
  common/event/trace_context.c common/event/trace_context.h \
  common/event/event.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/kafka/record.h

common/event/trace_context.h:

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/kafka/record.h:
