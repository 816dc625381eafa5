build-clang/obj/common/http/problem.o: common/http/problem.c \
  common/http/problem.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/http/http_server.h common/base/arena.h \
  common/base/config.h common/base/fault.h common/base/options.h \
  common/kafka/record.h common/base/hex.h

common/http/problem.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/http/http_server.h:

common/base/arena.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/kafka/record.h:

common/base/hex.h:
