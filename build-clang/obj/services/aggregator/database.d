build-clang/obj/services/aggregator/database.o: \
  services/aggregator/database.c services/aggregator/database.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/pg/pg.h common/base/buffer.h \
  common/base/span.h common/base/clock.h common/base/log.h \
  common/metrics.h services/aggregator/duty.h \
  services/aggregator/lease.h services/aggregator/schema.h \
  services/aggregator/trouble.h build-clang/gen/sql.h

services/aggregator/database.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/span.h:

common/base/clock.h:

common/base/log.h:

common/metrics.h:

services/aggregator/duty.h:

services/aggregator/lease.h:

services/aggregator/schema.h:

services/aggregator/trouble.h:

build-clang/gen/sql.h:
