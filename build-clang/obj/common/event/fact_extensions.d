build-clang/obj/common/event/fact_extensions.o: \
  common/event/fact_extensions.c common/event/event_kafka.h \
  common/event/admission.h common/event/event.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/base/error.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/kafka/record.h \
  common/event/fact_checks.h common/json/json_scan.h

common/event/event_kafka.h:

common/event/admission.h:

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/kafka/record.h:

common/event/fact_checks.h:

common/json/json_scan.h:
