build-clang/obj/common/kafka/kafka_consumer.o: \
  common/kafka/kafka_consumer.c common/kafka/kafka_consumer.h \
  common/base/arena.h common/base/span.h common/base/config.h \
  common/base/fault.h common/base/error.h common/base/options.h \
  common/kafka/record.h common/base/clock.h common/base/log.h \
  common/kafka/kafka_end.h common/kafka/kafka_settings.h \
  common/kafka/kafka_trouble.h common/kafka/kafka_wake.h \
  common/kafka/kafka_watch.h

common/kafka/kafka_consumer.h:

common/base/arena.h:

common/base/span.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/kafka/record.h:

common/base/clock.h:

common/base/log.h:

common/kafka/kafka_end.h:

common/kafka/kafka_settings.h:

common/kafka/kafka_trouble.h:

common/kafka/kafka_wake.h:

common/kafka/kafka_watch.h:
