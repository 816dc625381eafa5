build-clang/obj/services/cli/send_refused.o: services/cli/send_refused.c \
  services/cli/send_refused.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/base/log.h services/cli/text.h

services/cli/send_refused.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/log.h:

services/cli/text.h:
