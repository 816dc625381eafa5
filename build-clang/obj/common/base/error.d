build-clang/obj/common/base/error.o: common/base/error.c \
  common/base/error.h

common/base/error.h:
