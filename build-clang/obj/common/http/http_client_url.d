build-clang/obj/common/http/http_client_url.o: \
  common/http/http_client_url.c common/http/http_client.h \
  common/base/buffer.h common/base/error.h common/base/span.h \
  common/base/fault.h

common/http/http_client.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/fault.h:
