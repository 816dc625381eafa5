build-clang/obj/services/department/source_config.o: \
  services/department/source_config.c \
  services/department/source_config.h common/event/vocabulary.h \
  common/base/arena.h common/base/span.h common/base/fault.h \
  common/base/error.h common/json/predicate.h common/http/signature.h \
  common/kafka/record.h services/department/mapping.h \
  common/event/admission.h common/event/event.h common/event/identity.h \
  common/base/config.h common/base/options.h common/json/json_pointer.h

services/department/source_config.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/json/predicate.h:

common/http/signature.h:

common/kafka/record.h:

services/department/mapping.h:

common/event/admission.h:

common/event/event.h:

common/event/identity.h:

common/base/config.h:

common/base/options.h:

common/json/json_pointer.h:
