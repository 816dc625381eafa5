build-clang/obj/services/cli/send_answer.o: services/cli/send_answer.c \
  services/cli/send_answer.h common/http/http_client.h \
  common/base/buffer.h common/base/error.h common/base/span.h \
  common/base/fault.h

services/cli/send_answer.h:

common/http/http_client.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/fault.h:
