build-clang/obj/common/kafka/kafka_producer.o: \
  common/kafka/kafka_producer.c common/kafka/kafka_producer.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/kafka/record.h common/base/span.h \
  common/base/log.h common/kafka/kafka_client.h \
  common/kafka/kafka_settings.h common/kafka/kafka_watch.h \
  common/kafka/kafka_trouble.h common/metrics.h common/base/buffer.h

common/kafka/kafka_producer.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/kafka/record.h:

common/base/span.h:

common/base/log.h:

common/kafka/kafka_client.h:

common/kafka/kafka_settings.h:

common/kafka/kafka_watch.h:

common/kafka/kafka_trouble.h:

common/metrics.h:

common/base/buffer.h:
