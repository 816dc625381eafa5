build-clang/obj/services/department/intake_metrics.o: \
  services/department/intake_metrics.c \
  services/department/intake_metrics.h common/metrics.h \
  common/base/buffer.h common/base/error.h common/base/span.h

services/department/intake_metrics.h:

common/metrics.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:
