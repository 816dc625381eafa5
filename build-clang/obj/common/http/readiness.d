build-clang/obj/common/http/readiness.o: common/http/readiness.c \
  common/http/readiness.h common/base/fault.h common/base/error.h \
  common/base/span.h common/http/http_client.h common/base/buffer.h \
  common/http/http_server.h common/base/arena.h common/base/config.h \
  common/base/options.h common/kafka/record.h

common/http/readiness.h:

common/base/fault.h:

common/base/error.h:

common/base/span.h:

common/http/http_client.h:

common/base/buffer.h:

common/http/http_server.h:

common/base/arena.h:

common/base/config.h:

common/base/options.h:

common/kafka/record.h:
