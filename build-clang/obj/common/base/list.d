build-clang/obj/common/base/list.o: common/base/list.c common/base/list.h \
  common/base/error.h

common/base/list.h:

common/base/error.h:
