build-clang/obj/common/base/options.o: common/base/options.c \
  common/base/options.h common/base/fault.h common/base/error.h \
  common/base/duration.h common/base/log.h common/base/suggest.h

common/base/options.h:

common/base/fault.h:

common/base/error.h:

common/base/duration.h:

common/base/log.h:

common/base/suggest.h:
