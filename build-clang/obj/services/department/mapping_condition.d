build-clang/obj/services/department/mapping_condition.o: \
  services/department/mapping_condition.c \
  services/department/mapping_condition.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/base/error.h \
  services/department/mapping_input.h common/kafka/record.h \
  common/json/json_pointer.h common/json/predicate.h

services/department/mapping_condition.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

services/department/mapping_input.h:

common/kafka/record.h:

common/json/json_pointer.h:

common/json/predicate.h:
