build-clang/obj/services/cli/result.o: services/cli/result.c \
  services/cli/result.h common/pg/pg.h common/base/buffer.h \
  common/base/error.h common/base/span.h services/cli/table.h \
  services/cli/cli.h common/base/config.h common/base/fault.h \
  common/base/options.h common/base/program.h

services/cli/result.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

services/cli/table.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/program.h:
