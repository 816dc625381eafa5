build-clang/obj/common/json/json_pointer.o: common/json/json_pointer.c \
  common/json/json_pointer.h common/base/fault.h common/base/error.h \
  common/base/span.h common/base/hex.h common/base/arena.h \
  common/base/buffer.h common/base/log.h common/json/json_scan.h \
  common/json/json_tree.h common/json/json_walk.h

common/json/json_pointer.h:

common/base/fault.h:

common/base/error.h:

common/base/span.h:

common/base/hex.h:

common/base/arena.h:

common/base/buffer.h:

common/base/log.h:

common/json/json_scan.h:

common/json/json_tree.h:

common/json/json_walk.h:
