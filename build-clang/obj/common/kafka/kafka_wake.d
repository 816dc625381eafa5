build-clang/obj/common/kafka/kafka_wake.o: common/kafka/kafka_wake.c \
  common/kafka/kafka_wake.h

common/kafka/kafka_wake.h:
