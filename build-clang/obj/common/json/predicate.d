build-clang/obj/common/json/predicate.o: common/json/predicate.c \
  common/json/predicate.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/base/config.h \
  common/base/options.h common/json/json_pointer.h

common/json/predicate.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/base/config.h:

common/base/options.h:

common/json/json_pointer.h:
