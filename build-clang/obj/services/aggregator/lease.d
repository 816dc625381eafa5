build-clang/obj/services/aggregator/lease.o: services/aggregator/lease.c \
  services/aggregator/lease.h common/metrics.h common/base/buffer.h \
  common/base/error.h common/base/span.h common/pg/pg.h \
  common/base/clock.h common/base/log.h build-clang/gen/sql.h

services/aggregator/lease.h:

common/metrics.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/pg/pg.h:

common/base/clock.h:

common/base/log.h:

build-clang/gen/sql.h:
