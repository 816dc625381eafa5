build-clang/obj/services/aggregator/columns.o: \
  services/aggregator/columns.c services/aggregator/columns.h \
  common/event/event_uid.h common/base/error.h common/base/span.h \
  common/pg/pg.h common/base/buffer.h common/base/log.h \
  services/aggregator/handoff_asked.h common/base/fault.h \
  common/event/event.h common/base/arena.h \
  services/aggregator/handoff_states.h

services/aggregator/columns.h:

common/event/event_uid.h:

common/base/error.h:

common/base/span.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/log.h:

services/aggregator/handoff_asked.h:

common/base/fault.h:

common/event/event.h:

common/base/arena.h:

services/aggregator/handoff_states.h:
