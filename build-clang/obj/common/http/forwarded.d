build-clang/obj/common/http/forwarded.o: common/http/forwarded.c \
  common/http/forwarded.h common/base/error.h common/base/fault.h \
  common/kafka/record.h common/base/span.h

common/http/forwarded.h:

common/base/error.h:

common/base/fault.h:

common/kafka/record.h:

common/base/span.h:
