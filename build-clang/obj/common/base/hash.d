build-clang/obj/common/base/hash.o: common/base/hash.c common/base/hash.h \
  common/base/span.h common/base/clock.h

common/base/hash.h:

common/base/span.h:

common/base/clock.h:
