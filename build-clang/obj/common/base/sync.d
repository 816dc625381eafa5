build-clang/obj/common/base/sync.o: common/base/sync.c common/base/sync.h \
  common/base/error.h

common/base/sync.h:

common/base/error.h:
