build-clang/obj/services/cli/send.o: services/cli/send.c \
  common/base/clock.h common/base/retry.h common/base/stop.h \
  common/base/error.h common/event/vocabulary.h common/base/arena.h \
  common/base/span.h common/base/fault.h common/json/predicate.h \
  services/cli/cli.h common/base/config.h common/base/options.h \
  common/base/program.h services/cli/progress.h common/base/buffer.h \
  services/cli/send_answer.h common/http/http_client.h \
  services/cli/send_batch.h services/cli/send_refused.h

common/base/clock.h:

common/base/retry.h:

common/base/stop.h:

common/base/error.h:

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/json/predicate.h:

services/cli/cli.h:

common/base/config.h:

common/base/options.h:

common/base/program.h:

services/cli/progress.h:

common/base/buffer.h:

services/cli/send_answer.h:

common/http/http_client.h:

services/cli/send_batch.h:

services/cli/send_refused.h:
