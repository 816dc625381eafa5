build-clang/obj/common/kafka/kafka_message.o: \
  common/kafka/kafka_message.c common/kafka/kafka_consumer.h \
  common/base/arena.h common/base/span.h common/base/config.h \
  common/base/fault.h common/base/error.h common/base/options.h \
  common/kafka/record.h

common/kafka/kafka_consumer.h:

common/base/arena.h:

common/base/span.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/kafka/record.h:
