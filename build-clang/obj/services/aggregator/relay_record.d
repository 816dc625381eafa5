build-clang/obj/services/aggregator/relay_record.o: \
  services/aggregator/relay_record.c services/aggregator/relay_record.h \
  common/base/arena.h common/base/span.h common/base/error.h \
  common/kafka/record.h common/event/system_department.h \
  common/event/vocabulary.h common/base/fault.h common/json/predicate.h \
  common/event/system_events.h common/event/template.h

services/aggregator/relay_record.h:

common/base/arena.h:

common/base/span.h:

common/base/error.h:

common/kafka/record.h:

common/event/system_department.h:

common/event/vocabulary.h:

common/base/fault.h:

common/json/predicate.h:

common/event/system_events.h:

common/event/template.h:
