build-clang/obj/services/aggregator/handoff_fold.o: \
  services/aggregator/handoff_fold.c services/aggregator/handoff_fold.h \
  common/event/event_uid.h common/base/error.h common/base/span.h \
  services/aggregator/handoff_rules.h common/event/vocabulary.h \
  common/base/arena.h common/base/fault.h common/json/predicate.h \
  services/aggregator/handoff_states.h common/json/json_pointer.h

services/aggregator/handoff_fold.h:

common/event/event_uid.h:

common/base/error.h:

common/base/span.h:

services/aggregator/handoff_rules.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/fault.h:

common/json/predicate.h:

services/aggregator/handoff_states.h:

common/json/json_pointer.h:
