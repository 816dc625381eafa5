build-clang/obj/common/http/http_server.o: common/http/http_server.c \
  common/http/http_server.h common/base/arena.h common/base/span.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/kafka/record.h common/base/clock.h \
  common/base/log.h common/base/sync.h \
  common/http/http_server_internal.h common/http/forwarded.h \
  common/http/http_server_tls.h common/http/request_check.h \
  common/http/http_server_request.h

common/http/http_server.h:

common/base/arena.h:

common/base/span.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/kafka/record.h:

common/base/clock.h:

common/base/log.h:

common/base/sync.h:

common/http/http_server_internal.h:

common/http/forwarded.h:

common/http/http_server_tls.h:

common/http/request_check.h:

common/http/http_server_request.h:
