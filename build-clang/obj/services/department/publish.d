build-clang/obj/services/department/publish.o: \
  services/department/publish.c services/department/publish.h \
  common/base/config.h common/base/fault.h common/base/error.h \
  common/base/options.h common/http/http_server.h common/base/arena.h \
  common/base/span.h common/kafka/record.h common/kafka/kafka_producer.h \
  common/base/clock.h common/base/log.h common/base/sync.h \
  common/http/problem.h common/base/buffer.h \
  services/department/intake_metrics.h

services/department/publish.h:

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/http/http_server.h:

common/base/arena.h:

common/base/span.h:

common/kafka/record.h:

common/kafka/kafka_producer.h:

common/base/clock.h:

common/base/log.h:

common/base/sync.h:

common/http/problem.h:

common/base/buffer.h:

services/department/intake_metrics.h:
