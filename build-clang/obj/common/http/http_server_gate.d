build-clang/obj/common/http/http_server_gate.o: \
  common/http/http_server_gate.c common/base/clock.h common/base/log.h \
  common/http/http_server_internal.h common/http/forwarded.h \
  common/base/error.h common/base/fault.h common/kafka/record.h \
  common/base/span.h common/http/http_server.h common/base/arena.h \
  common/base/config.h common/base/options.h \
  common/http/http_server_tls.h common/http/request_check.h \
  common/http/problem.h common/base/buffer.h

common/base/clock.h:

common/base/log.h:

common/http/http_server_internal.h:

common/http/forwarded.h:

common/base/error.h:

common/base/fault.h:

common/kafka/record.h:

common/base/span.h:

common/http/http_server.h:

common/base/arena.h:

common/base/config.h:

common/base/options.h:

common/http/http_server_tls.h:

common/http/request_check.h:

common/http/problem.h:

common/base/buffer.h:
