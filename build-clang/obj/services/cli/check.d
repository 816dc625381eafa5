build-clang/obj/services/cli/check.o: services/cli/check.c \
  common/base/buffer.h common/base/error.h common/base/span.h \
  common/event/vocabulary.h common/base/arena.h common/base/fault.h \
  common/json/predicate.h common/json/json_pointer.h \
  common/kafka/kafka_admin.h common/base/config.h common/base/options.h \
  services/aggregator/handoff_rules.h services/cli/cli.h \
  common/base/program.h services/cli/text.h \
  services/department/department.h services/department/source_config.h \
  common/http/signature.h common/kafka/record.h \
  services/department/mapping.h common/event/admission.h \
  common/event/event.h common/event/identity.h

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/fault.h:

common/json/predicate.h:

common/json/json_pointer.h:

common/kafka/kafka_admin.h:

common/base/config.h:

common/base/options.h:

services/aggregator/handoff_rules.h:

services/cli/cli.h:

common/base/program.h:

services/cli/text.h:

services/department/department.h:

services/department/source_config.h:

common/http/signature.h:

common/kafka/record.h:

services/department/mapping.h:

common/event/admission.h:

common/event/event.h:

common/event/identity.h:
