build-clang/obj/common/base/config.o: common/base/config.c \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/base/arena.h common/base/span.h \
  common/base/log.h common/json/json_pointer.h

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/arena.h:

common/base/span.h:

common/base/log.h:

common/json/json_pointer.h:
