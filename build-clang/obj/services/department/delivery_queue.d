build-clang/obj/services/department/delivery_queue.o: \
  services/department/delivery_queue.c \
  services/department/delivery_queue.h common/base/error.h \
  common/base/span.h common/base/hash.h common/base/retry.h

services/department/delivery_queue.h:

common/base/error.h:

common/base/span.h:

common/base/hash.h:

common/base/retry.h:
