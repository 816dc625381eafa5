build-clang/obj/services/cli/timeline.o: services/cli/timeline.c \
  common/event/event_time.h common/base/error.h common/base/span.h \
  common/pg/pg.h common/base/buffer.h services/cli/customer.h \
  services/cli/cli.h common/base/config.h common/base/fault.h \
  common/base/options.h common/base/program.h services/cli/result.h \
  services/cli/table.h build-clang/gen/sql.h

common/event/event_time.h:

common/base/error.h:

common/base/span.h:

common/pg/pg.h:

common/base/buffer.h:

services/cli/customer.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/program.h:

services/cli/result.h:

services/cli/table.h:

build-clang/gen/sql.h:
