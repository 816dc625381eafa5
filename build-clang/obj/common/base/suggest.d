build-clang/obj/common/base/suggest.o: common/base/suggest.c \
  common/base/suggest.h

common/base/suggest.h:
