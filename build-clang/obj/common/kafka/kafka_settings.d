build-clang/obj/common/kafka/kafka_settings.o: \
  common/kafka/kafka_settings.c common/kafka/kafka_settings.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/base/log.h

common/kafka/kafka_settings.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/log.h:
