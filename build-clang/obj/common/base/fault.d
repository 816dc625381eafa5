build-clang/obj/common/base/fault.o: common/base/fault.c \
  common/base/fault.h common/base/error.h

common/base/fault.h:

common/base/error.h:
