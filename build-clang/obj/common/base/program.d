build-clang/obj/common/base/program.o: common/base/program.c \
  common/base/program.h common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h common/base/log.h \
  common/base/stop.h

common/base/program.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/log.h:

common/base/stop.h:
