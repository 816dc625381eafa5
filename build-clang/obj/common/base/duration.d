build-clang/obj/common/base/duration.o: common/base/duration.c \
  common/base/duration.h common/base/error.h

common/base/duration.h:

common/base/error.h:
