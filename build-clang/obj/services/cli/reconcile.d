build-clang/obj/services/cli/reconcile.o: services/cli/reconcile.c \
  common/base/clock.h common/base/stop.h common/base/error.h \
  services/cli/books.h common/kafka/kafka_admin.h common/base/config.h \
  common/base/fault.h common/base/options.h common/pg/pg.h \
  common/base/buffer.h common/base/span.h services/cli/cli.h \
  common/base/program.h services/cli/table.h

common/base/clock.h:

common/base/stop.h:

common/base/error.h:

services/cli/books.h:

common/kafka/kafka_admin.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/span.h:

services/cli/cli.h:

common/base/program.h:

services/cli/table.h:
