build-clang/obj/services/aggregator/handoff_states.o: \
  services/aggregator/handoff_states.c \
  services/aggregator/handoff_states.h common/base/span.h

services/aggregator/handoff_states.h:

common/base/span.h:
