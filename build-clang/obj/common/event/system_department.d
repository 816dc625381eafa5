build-clang/obj/common/event/system_department.o: \
  common/event/system_department.c common/event/system_department.h \
  common/event/vocabulary.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/json/predicate.h \
  common/event/system_events.h

common/event/system_department.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/json/predicate.h:

common/event/system_events.h:
