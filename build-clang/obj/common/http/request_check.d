build-clang/obj/common/http/request_check.o: common/http/request_check.c \
  common/http/request_check.h common/base/arena.h common/base/span.h \
  common/base/error.h common/kafka/record.h common/base/hex.h \
  common/base/buffer.h

common/http/request_check.h:

common/base/arena.h:

common/base/span.h:

common/base/error.h:

common/kafka/record.h:

common/base/hex.h:

common/base/buffer.h:
