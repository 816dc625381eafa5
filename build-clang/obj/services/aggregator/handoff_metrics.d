build-clang/obj/services/aggregator/handoff_metrics.o: \
  services/aggregator/handoff_metrics.c \
  services/aggregator/handoff_metrics.h common/metrics.h \
  common/base/buffer.h common/base/error.h common/base/span.h

services/aggregator/handoff_metrics.h:

common/metrics.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:
