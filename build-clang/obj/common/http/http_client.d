build-clang/obj/common/http/http_client.o: common/http/http_client.c \
  common/http/http_client.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/base/fault.h common/base/log.h

common/http/http_client.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/fault.h:

common/base/log.h:
