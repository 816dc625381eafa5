build-clang/obj/services/cli/text.o: services/cli/text.c \
  services/cli/text.h common/base/buffer.h common/base/error.h \
  common/base/span.h

services/cli/text.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:
