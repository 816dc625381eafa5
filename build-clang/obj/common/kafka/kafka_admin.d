build-clang/obj/common/kafka/kafka_admin.o: common/kafka/kafka_admin.c \
  common/kafka/kafka_admin.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h common/base/clock.h \
  common/base/stop.h common/kafka/kafka_settings.h

common/kafka/kafka_admin.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/clock.h:

common/base/stop.h:

common/kafka/kafka_settings.h:
