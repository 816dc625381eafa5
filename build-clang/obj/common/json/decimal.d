build-clang/obj/common/json/decimal.o: common/json/decimal.c \
  common/json/decimal.h common/base/arena.h common/base/span.h \
  common/base/buffer.h common/base/error.h common/base/fault.h

common/json/decimal.h:

common/base/arena.h:

common/base/span.h:

common/base/buffer.h:

common/base/error.h:

common/base/fault.h:
