build-clang/obj/services/cli/replay_plan.o: services/cli/replay_plan.c \
  services/cli/replay_plan.h common/base/fault.h common/base/error.h \
  services/cli/books.h common/kafka/kafka_admin.h common/base/config.h \
  common/base/options.h common/pg/pg.h common/base/buffer.h \
  common/base/span.h common/base/duration.h common/event/event_time.h

services/cli/replay_plan.h:

common/base/fault.h:

common/base/error.h:

services/cli/books.h:

common/kafka/kafka_admin.h:

common/base/config.h:

common/base/options.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/span.h:

common/base/duration.h:

common/event/event_time.h:
