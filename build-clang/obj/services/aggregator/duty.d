build-clang/obj/services/aggregator/duty.o: services/aggregator/duty.c \
  services/aggregator/duty.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h services/aggregator/lease.h \
  common/metrics.h common/base/buffer.h common/base/span.h \
  common/pg/pg.h common/base/clock.h common/base/log.h \
  common/base/retry.h common/base/stop.h services/aggregator/database.h

services/aggregator/duty.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

services/aggregator/lease.h:

common/metrics.h:

common/base/buffer.h:

common/base/span.h:

common/pg/pg.h:

common/base/clock.h:

common/base/log.h:

common/base/retry.h:

common/base/stop.h:

services/aggregator/database.h:
