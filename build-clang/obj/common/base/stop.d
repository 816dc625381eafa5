build-clang/obj/common/base/stop.o: common/base/stop.c common/base/stop.h \
  common/base/error.h common/base/clock.h common/base/log.h

common/base/stop.h:

common/base/error.h:

common/base/clock.h:

common/base/log.h:
