build-clang/obj/common/http/health.o: common/http/health.c \
  common/http/health.h common/http/http_server.h common/base/arena.h \
  common/base/span.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h common/kafka/record.h \
  common/base/program.h common/http/problem.h common/base/buffer.h \
  common/metrics.h

common/http/health.h:

common/http/http_server.h:

common/base/arena.h:

common/base/span.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/kafka/record.h:

common/base/program.h:

common/http/problem.h:

common/base/buffer.h:

common/metrics.h:
