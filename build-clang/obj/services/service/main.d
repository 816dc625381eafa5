build-clang/obj/services/service/main.o: services/service/main.c \
  services/department/department.h common/base/config.h \
  common/base/fault.h common/base/error.h common/base/options.h

services/department/department.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:
