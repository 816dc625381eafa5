build-clang/obj/services/department/mapping_input.o: \
  services/department/mapping_input.c \
  services/department/mapping_input.h common/kafka/record.h \
  common/base/span.h common/json/json_pointer.h common/base/fault.h \
  common/base/error.h

services/department/mapping_input.h:

common/kafka/record.h:

common/base/span.h:

common/json/json_pointer.h:

common/base/fault.h:

common/base/error.h:
