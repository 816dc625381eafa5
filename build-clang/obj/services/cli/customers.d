build-clang/obj/services/cli/customers.o: services/cli/customers.c \
  common/pg/pg.h common/base/buffer.h common/base/error.h \
  common/base/span.h services/cli/customer.h services/cli/cli.h \
  common/base/config.h common/base/fault.h common/base/options.h \
  common/base/program.h services/cli/result.h services/cli/table.h \
  services/cli/text.h build-clang/gen/sql.h

common/pg/pg.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

services/cli/customer.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/program.h:

services/cli/result.h:

services/cli/table.h:

services/cli/text.h:

build-clang/gen/sql.h:
