build-clang/obj/services/department/mapping_rule_parse.o: \
  services/department/mapping_rule_parse.c common/base/config.h \
  common/base/fault.h common/base/error.h common/base/options.h \
  common/json/json_pointer.h common/base/span.h \
  services/department/mapping_parse.h \
  services/department/mapping_rules.h services/department/mapping.h \
  common/event/admission.h common/event/event.h common/base/arena.h \
  common/event/identity.h common/event/vocabulary.h \
  common/json/predicate.h common/kafka/record.h \
  services/department/mapping_value.h common/base/buffer.h \
  services/department/mapping_condition.h \
  services/department/mapping_input.h

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/json/json_pointer.h:

common/base/span.h:

services/department/mapping_parse.h:

services/department/mapping_rules.h:

services/department/mapping.h:

common/event/admission.h:

common/event/event.h:

common/base/arena.h:

common/event/identity.h:

common/event/vocabulary.h:

common/json/predicate.h:

common/kafka/record.h:

services/department/mapping_value.h:

common/base/buffer.h:

services/department/mapping_condition.h:

services/department/mapping_input.h:
