build-clang/obj/common/event/template.o: common/event/template.c \
  common/event/template.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/json/json_pointer.h \
  common/json/json_scan.h

common/event/template.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/json/json_pointer.h:

common/json/json_scan.h:
