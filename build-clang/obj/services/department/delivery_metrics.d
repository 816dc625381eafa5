build-clang/obj/services/department/delivery_metrics.o: \
  services/department/delivery_metrics.c \
  services/department/delivery_metrics.h \
  services/department/delivery_queue.h common/base/error.h \
  common/base/span.h common/metrics.h common/base/buffer.h

services/department/delivery_metrics.h:

services/department/delivery_queue.h:

common/base/error.h:

common/base/span.h:

common/metrics.h:

common/base/buffer.h:
