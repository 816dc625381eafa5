build-clang/obj/services/cli/books.o: services/cli/books.c \
  services/cli/books.h common/kafka/kafka_admin.h common/base/config.h \
  common/base/fault.h common/base/error.h common/base/options.h \
  common/pg/pg.h common/base/buffer.h common/base/span.h \
  common/base/list.h build-clang/gen/sql.h

services/cli/books.h:

common/kafka/kafka_admin.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/span.h:

common/base/list.h:

build-clang/gen/sql.h:
