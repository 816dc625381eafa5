build-clang/obj/services/department/mapping_value_parse.o: \
  services/department/mapping_value_parse.c common/base/config.h \
  common/base/fault.h common/base/error.h common/base/options.h \
  common/event/template.h common/base/arena.h common/base/span.h \
  common/json/json_pointer.h services/department/mapping_value.h \
  common/base/buffer.h services/department/mapping_condition.h \
  services/department/mapping_input.h common/kafka/record.h

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/event/template.h:

common/base/arena.h:

common/base/span.h:

common/json/json_pointer.h:

services/department/mapping_value.h:

common/base/buffer.h:

services/department/mapping_condition.h:

services/department/mapping_input.h:

common/kafka/record.h:
