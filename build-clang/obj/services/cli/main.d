build-clang/obj/services/cli/main.o: services/cli/main.c \
  services/cli/cli.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h common/base/program.h

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/program.h:
