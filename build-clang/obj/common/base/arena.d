build-clang/obj/common/base/arena.o: common/base/arena.c \
  common/base/arena.h common/base/span.h common/base/log.h

common/base/arena.h:

common/base/span.h:

common/base/log.h:
