build-clang/obj/common/json/json_tree.o: common/json/json_tree.c \
  common/json/json_tree.h common/base/error.h common/base/span.h \
  common/base/buffer.h common/json/json_walk.h common/json/json_scan.h \
  common/base/arena.h common/base/fault.h

common/json/json_tree.h:

common/base/error.h:

common/base/span.h:

common/base/buffer.h:

common/json/json_walk.h:

common/json/json_scan.h:

common/base/arena.h:

common/base/fault.h:
