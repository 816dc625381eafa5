build-clang/obj/services/department/mapping_value.o: \
  services/department/mapping_value.c \
  services/department/mapping_value.h common/base/buffer.h \
  common/base/error.h common/base/span.h \
  services/department/mapping_condition.h common/base/arena.h \
  common/base/fault.h services/department/mapping_input.h \
  common/kafka/record.h common/event/event_time.h \
  common/event/template.h common/json/decimal.h common/json/json_scan.h \
  services/department/currency.h

services/department/mapping_value.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

services/department/mapping_condition.h:

common/base/arena.h:

common/base/fault.h:

services/department/mapping_input.h:

common/kafka/record.h:

common/event/event_time.h:

common/event/template.h:

common/json/decimal.h:

common/json/json_scan.h:

services/department/currency.h:
