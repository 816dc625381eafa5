build-clang/obj/services/cli/quarantine_show.o: \
  services/cli/quarantine_show.c common/base/hex.h common/base/arena.h \
  common/base/span.h common/base/buffer.h common/base/error.h \
  common/json/json_scan.h common/base/fault.h common/pg/pg.h \
  services/cli/quarantine.h services/cli/cli.h common/base/config.h \
  common/base/options.h common/base/program.h services/cli/text.h \
  build-clang/gen/sql.h

common/base/hex.h:

common/base/arena.h:

common/base/span.h:

common/base/buffer.h:

common/base/error.h:

common/json/json_scan.h:

common/base/fault.h:

common/pg/pg.h:

services/cli/quarantine.h:

services/cli/cli.h:

common/base/config.h:

common/base/options.h:

common/base/program.h:

services/cli/text.h:

build-clang/gen/sql.h:
