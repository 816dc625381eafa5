build-clang/obj/deploy/demo/embedded_broker.o: \
  deploy/demo/embedded_broker.c common/base/log.h common/base/program.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/base/stop.h

common/base/log.h:

common/base/program.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/stop.h:
