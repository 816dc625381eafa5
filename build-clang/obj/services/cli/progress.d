build-clang/obj/services/cli/progress.o: services/cli/progress.c \
  services/cli/progress.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/base/clock.h services/cli/text.h

services/cli/progress.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/clock.h:

services/cli/text.h:
