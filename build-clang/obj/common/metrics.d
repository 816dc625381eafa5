build-clang/obj/common/metrics.o: common/metrics.c common/metrics.h \
  common/base/buffer.h common/base/error.h common/base/span.h \
  common/base/log.h

common/metrics.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/log.h:
