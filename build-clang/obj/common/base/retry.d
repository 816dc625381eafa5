build-clang/obj/common/base/retry.o: common/base/retry.c \
  common/base/retry.h

common/base/retry.h:
