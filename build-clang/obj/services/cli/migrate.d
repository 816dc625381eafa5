build-clang/obj/services/cli/migrate.o: services/cli/migrate.c \
  common/pg/pg.h common/base/buffer.h common/base/error.h \
  common/base/span.h services/aggregator/schema.h services/cli/cli.h \
  common/base/config.h common/base/fault.h common/base/options.h \
  common/base/program.h

common/pg/pg.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

services/aggregator/schema.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/program.h:
