build-clang/obj/common/base/config_files.o: common/base/config_files.c \
  common/base/buffer.h common/base/error.h common/base/span.h \
  common/base/config.h common/base/fault.h common/base/options.h \
  common/base/suggest.h common/json/json_pointer.h

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/suggest.h:

common/json/json_pointer.h:
