build-clang/obj/services/aggregator/handoff_rules.o: \
  services/aggregator/handoff_rules.c \
  services/aggregator/handoff_rules.h common/event/vocabulary.h \
  common/base/arena.h common/base/span.h common/base/fault.h \
  common/base/error.h common/json/predicate.h common/base/config.h \
  common/base/options.h common/base/log.h \
  services/aggregator/handoff_rules_internal.h

services/aggregator/handoff_rules.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/json/predicate.h:

common/base/config.h:

common/base/options.h:

common/base/log.h:

services/aggregator/handoff_rules_internal.h:
