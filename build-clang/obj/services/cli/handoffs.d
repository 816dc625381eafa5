build-clang/obj/services/cli/handoffs.o: services/cli/handoffs.c \
  common/event/event_uid.h common/base/error.h common/base/span.h \
  common/event/vocabulary.h common/base/arena.h common/base/fault.h \
  common/json/predicate.h common/pg/pg.h common/base/buffer.h \
  services/cli/customer.h services/cli/cli.h common/base/config.h \
  common/base/options.h common/base/program.h services/cli/result.h \
  services/cli/table.h services/cli/text.h build-clang/gen/sql.h

common/event/event_uid.h:

common/base/error.h:

common/base/span.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/fault.h:

common/json/predicate.h:

common/pg/pg.h:

common/base/buffer.h:

services/cli/customer.h:

services/cli/cli.h:

common/base/config.h:

common/base/options.h:

common/base/program.h:

services/cli/result.h:

services/cli/table.h:

services/cli/text.h:

build-clang/gen/sql.h:
