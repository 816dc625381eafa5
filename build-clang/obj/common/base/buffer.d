build-clang/obj/common/base/buffer.o: common/base/buffer.c \
  common/base/buffer.h common/base/error.h common/base/span.h

common/base/buffer.h:

common/base/error.h:

common/base/span.h:
