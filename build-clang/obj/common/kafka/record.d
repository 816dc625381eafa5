build-clang/obj/common/kafka/record.o: common/kafka/record.c \
  common/kafka/record.h common/base/span.h

common/kafka/record.h:

common/base/span.h:
