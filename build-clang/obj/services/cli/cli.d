build-clang/obj/services/cli/cli.o: services/cli/cli.c services/cli/cli.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/base/program.h common/base/log.h \
  common/base/stop.h common/base/suggest.h common/http/http_server.h \
  common/base/arena.h common/base/span.h common/kafka/record.h \
  common/http/readiness.h common/pg/pg.h common/base/buffer.h \
  services/aggregator/schema.h

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/program.h:

common/base/log.h:

common/base/stop.h:

common/base/suggest.h:

common/http/http_server.h:

common/base/arena.h:

common/base/span.h:

common/kafka/record.h:

common/http/readiness.h:

common/pg/pg.h:

common/base/buffer.h:

services/aggregator/schema.h:
