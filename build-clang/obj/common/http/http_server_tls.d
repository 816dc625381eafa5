build-clang/obj/common/http/http_server_tls.o: \
  common/http/http_server_tls.c common/http/http_server_tls.h \
  common/base/error.h common/base/fault.h common/base/span.h \
  common/base/buffer.h common/base/log.h common/metrics.h

common/http/http_server_tls.h:

common/base/error.h:

common/base/fault.h:

common/base/span.h:

common/base/buffer.h:

common/base/log.h:

common/metrics.h:
