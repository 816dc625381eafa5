build-clang/obj/services/cli/replay.o: services/cli/replay.c \
  common/base/clock.h services/cli/cli.h common/base/config.h \
  common/base/fault.h common/base/error.h common/base/options.h \
  common/base/program.h services/cli/replay_plan.h services/cli/books.h \
  common/kafka/kafka_admin.h common/pg/pg.h common/base/buffer.h \
  common/base/span.h services/cli/table.h build-clang/gen/sql.h

common/base/clock.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/program.h:

services/cli/replay_plan.h:

services/cli/books.h:

common/kafka/kafka_admin.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/span.h:

services/cli/table.h:

build-clang/gen/sql.h:
