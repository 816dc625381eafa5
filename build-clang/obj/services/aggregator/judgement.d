build-clang/obj/services/aggregator/judgement.o: \
  services/aggregator/judgement.c services/aggregator/judgement.h \
  common/kafka/kafka_admin.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h

services/aggregator/judgement.h:

common/kafka/kafka_admin.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:
