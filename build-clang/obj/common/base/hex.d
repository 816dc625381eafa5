build-clang/obj/common/base/hex.o: common/base/hex.c common/base/hex.h \
  common/base/arena.h common/base/span.h common/base/buffer.h \
  common/base/error.h

common/base/hex.h:

common/base/arena.h:

common/base/span.h:

common/base/buffer.h:

common/base/error.h:
