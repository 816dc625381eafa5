build-clang/obj/common/kafka/kafka_end.o: common/kafka/kafka_end.c \
  common/kafka/kafka_end.h common/base/clock.h common/base/log.h \
  common/metrics.h common/base/buffer.h common/base/error.h \
  common/base/span.h

common/kafka/kafka_end.h:

common/base/clock.h:

common/base/log.h:

common/metrics.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:
