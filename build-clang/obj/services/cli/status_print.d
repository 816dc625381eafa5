build-clang/obj/services/cli/status_print.o: services/cli/status_print.c \
  services/cli/cli.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h common/base/program.h \
  services/cli/status.h services/cli/books.h common/kafka/kafka_admin.h \
  common/pg/pg.h common/base/buffer.h common/base/span.h \
  services/cli/table.h services/cli/text.h

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/program.h:

services/cli/status.h:

services/cli/books.h:

common/kafka/kafka_admin.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/span.h:

services/cli/table.h:

services/cli/text.h:
