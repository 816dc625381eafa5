build-clang/obj/common/kafka/kafka_watch.o: common/kafka/kafka_watch.c \
  common/kafka/kafka_watch.h common/base/error.h \
  common/kafka/kafka_trouble.h common/base/clock.h common/base/log.h \
  common/base/sync.h

common/kafka/kafka_watch.h:

common/base/error.h:

common/kafka/kafka_trouble.h:

common/base/clock.h:

common/base/log.h:

common/base/sync.h:
