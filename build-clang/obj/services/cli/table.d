build-clang/obj/services/cli/table.o: services/cli/table.c \
  services/cli/table.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/base/list.h services/cli/text.h

services/cli/table.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/list.h:

services/cli/text.h:
