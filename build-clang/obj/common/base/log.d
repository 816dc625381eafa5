build-clang/obj/common/base/log.o: common/base/log.c common/base/log.h \
  common/base/buffer.h common/base/error.h common/base/span.h \
  common/base/clock.h

common/base/log.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/clock.h:
