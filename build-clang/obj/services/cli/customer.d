build-clang/obj/services/cli/customer.o: services/cli/customer.c \
  services/cli/customer.h common/base/buffer.h common/base/error.h \
  common/base/span.h services/cli/cli.h common/base/config.h \
  common/base/fault.h common/base/options.h common/base/program.h \
  common/event/identity.h common/base/arena.h common/pg/pg.h \
  build-clang/gen/sql.h

services/cli/customer.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/program.h:

common/event/identity.h:

common/base/arena.h:

common/pg/pg.h:

build-clang/gen/sql.h:
