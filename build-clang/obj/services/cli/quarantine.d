build-clang/obj/services/cli/quarantine.o: services/cli/quarantine.c \
  common/base/hex.h common/base/arena.h common/base/span.h \
  common/base/buffer.h common/base/error.h common/pg/pg.h \
  services/cli/quarantine.h services/cli/cli.h common/base/config.h \
  common/base/fault.h common/base/options.h common/base/program.h \
  services/cli/result.h services/cli/table.h build-clang/gen/sql.h

common/base/hex.h:

common/base/arena.h:

common/base/span.h:

common/base/buffer.h:

common/base/error.h:

common/pg/pg.h:

services/cli/quarantine.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/program.h:

services/cli/result.h:

services/cli/table.h:

build-clang/gen/sql.h:
