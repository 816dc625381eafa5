build-clang/obj/services/department/currency.o: \
  services/department/currency.c services/department/currency.h \
  common/base/span.h

services/department/currency.h:

common/base/span.h:
