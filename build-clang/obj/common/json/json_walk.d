build-clang/obj/common/json/json_walk.o: common/json/json_walk.c \
  common/json/json_walk.h common/json/json_scan.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/base/error.h \
  common/base/hex.h common/base/buffer.h common/json/json_pointer.h

common/json/json_walk.h:

common/json/json_scan.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/base/hex.h:

common/base/buffer.h:

common/json/json_pointer.h:
