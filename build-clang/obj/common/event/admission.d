build-clang/obj/common/event/admission.o: common/event/admission.c \
  common/event/admission.h common/event/event.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/base/error.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/event/fact_checks.h \
  common/event/template.h common/json/json_pointer.h \
  common/json/json_scan.h

common/event/admission.h:

common/event/event.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/event/fact_checks.h:

common/event/template.h:

common/json/json_pointer.h:

common/json/json_scan.h:
