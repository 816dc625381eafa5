build-clang/obj/common/event/uri.o: common/event/uri.c common/event/uri.h \
  common/base/span.h

common/event/uri.h:

common/base/span.h:
