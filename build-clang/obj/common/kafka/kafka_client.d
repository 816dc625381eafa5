build-clang/obj/common/kafka/kafka_client.o: common/kafka/kafka_client.c \
  common/kafka/kafka_client.h common/base/error.h common/base/log.h

common/kafka/kafka_client.h:

common/base/error.h:

common/base/log.h:
