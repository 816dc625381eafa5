build-clang/obj/services/aggregator/schema.o: \
  services/aggregator/schema.c services/aggregator/schema.h \
  common/pg/pg.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/base/clock.h common/base/log.h \
  common/base/retry.h common/base/stop.h build-clang/gen/sql.h \
  build-clang/gen/migrations.h

services/aggregator/schema.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/clock.h:

common/base/log.h:

common/base/retry.h:

common/base/stop.h:

build-clang/gen/sql.h:

build-clang/gen/migrations.h:
