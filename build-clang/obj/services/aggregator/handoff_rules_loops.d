build-clang/obj/services/aggregator/handoff_rules_loops.o: \
  services/aggregator/handoff_rules_loops.c common/event/system_events.h \
  common/base/span.h services/aggregator/handoff_rules_internal.h \
  services/aggregator/handoff_rules.h common/event/vocabulary.h \
  common/base/arena.h common/base/fault.h common/base/error.h \
  common/json/predicate.h

common/event/system_events.h:

common/base/span.h:

services/aggregator/handoff_rules_internal.h:

services/aggregator/handoff_rules.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/fault.h:

common/base/error.h:

common/json/predicate.h:
