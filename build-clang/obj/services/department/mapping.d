build-clang/obj/services/department/mapping.o: \
  services/department/mapping.c services/department/mapping.h \
  common/event/admission.h common/event/event.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/base/error.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/kafka/record.h \
  common/json/json_pointer.h common/json/json_scan.h \
  services/department/mapping_rules.h \
  services/department/mapping_value.h common/base/buffer.h \
  services/department/mapping_condition.h \
  services/department/mapping_input.h

services/department/mapping.h:

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

common/json/json_pointer.h:

common/json/json_scan.h:

services/department/mapping_rules.h:

services/department/mapping_value.h:

common/base/buffer.h:

services/department/mapping_condition.h:

services/department/mapping_input.h:
