build-clang/obj/services/cli/status.o: services/cli/status.c \
  common/event/vocabulary.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/json/predicate.h \
  common/http/readiness.h common/pg/pg.h common/base/buffer.h \
  services/aggregator/schema.h services/cli/books.h \
  common/kafka/kafka_admin.h common/base/config.h common/base/options.h \
  services/cli/cli.h common/base/program.h services/cli/status.h \
  services/cli/table.h build-clang/gen/sql.h

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/json/predicate.h:

common/http/readiness.h:

common/pg/pg.h:

common/base/buffer.h:

services/aggregator/schema.h:

services/cli/books.h:

common/kafka/kafka_admin.h:

common/base/config.h:

common/base/options.h:

services/cli/cli.h:

common/base/program.h:

services/cli/status.h:

services/cli/table.h:

build-clang/gen/sql.h:
