build-clang/obj/services/aggregator/event_types.o: \
  services/aggregator/event_types.c services/aggregator/event_types.h \
  common/event/vocabulary.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/json/predicate.h \
  common/pg/pg.h common/base/buffer.h common/base/log.h \
  common/event/system_department.h build-clang/gen/sql.h

services/aggregator/event_types.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/json/predicate.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/log.h:

common/event/system_department.h:

build-clang/gen/sql.h:
