build-clang/obj/services/cli/send_batch.o: services/cli/send_batch.c \
  services/cli/send_batch.h common/base/buffer.h common/base/error.h \
  common/base/span.h common/base/log.h common/base/stop.h \
  common/json/json_scan.h common/base/arena.h common/base/fault.h

services/cli/send_batch.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/log.h:

common/base/stop.h:

common/json/json_scan.h:

common/base/arena.h:

common/base/fault.h:
