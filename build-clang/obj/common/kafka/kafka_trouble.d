build-clang/obj/common/kafka/kafka_trouble.o: \
  common/kafka/kafka_trouble.c common/kafka/kafka_trouble.h \
  common/base/log.h common/metrics.h common/base/buffer.h \
  common/base/error.h common/base/span.h

common/kafka/kafka_trouble.h:

common/base/log.h:

common/metrics.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:
