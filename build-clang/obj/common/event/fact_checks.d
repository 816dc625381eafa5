build-clang/obj/common/event/fact_checks.o: \
  common/event/fact_checks.c common/event/fact_checks.h \
  common/event/admission.h common/event/event.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/base/error.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/event/event_text.h \
  common/event/event_time.h common/json/decimal.h common/base/buffer.h

common/event/fact_checks.h:

common/event/admission.h:

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/event/event_text.h:

common/event/event_time.h:

common/json/decimal.h:

common/base/buffer.h:
