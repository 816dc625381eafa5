build-clang/obj/services/cli/arguments.o: services/cli/arguments.c \
  common/base/duration.h common/base/error.h services/cli/cli.h \
  common/base/config.h common/base/fault.h common/base/options.h \
  common/base/program.h

common/base/duration.h:

common/base/error.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/program.h:
