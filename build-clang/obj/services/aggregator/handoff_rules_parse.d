build-clang/obj/services/aggregator/handoff_rules_parse.o: \
  services/aggregator/handoff_rules_parse.c common/base/config.h \
  common/base/fault.h common/base/error.h common/base/options.h \
  common/base/duration.h common/base/suggest.h common/event/event_text.h \
  common/base/arena.h common/base/span.h common/event/system_events.h \
  common/json/json_pointer.h \
  services/aggregator/handoff_rules_internal.h \
  services/aggregator/handoff_rules.h common/event/vocabulary.h \
  common/json/predicate.h

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/duration.h:

common/base/suggest.h:

common/event/event_text.h:

common/base/arena.h:

common/base/span.h:

common/event/system_events.h:

common/json/json_pointer.h:

services/aggregator/handoff_rules_internal.h:

services/aggregator/handoff_rules.h:

common/event/vocabulary.h:

common/json/predicate.h:
