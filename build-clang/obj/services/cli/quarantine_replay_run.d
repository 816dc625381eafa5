build-clang/obj/services/cli/quarantine_replay_run.o: \
  services/cli/quarantine_replay_run.c common/base/buffer.h \
  common/base/error.h common/base/span.h common/base/retry.h \
  common/base/stop.h common/pg/pg.h services/cli/progress.h \
  services/cli/quarantine.h services/cli/cli.h common/base/config.h \
  common/base/fault.h common/base/options.h common/base/program.h \
  services/cli/quarantine_replay.h services/cli/text.h \
  build-clang/gen/sql.h

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/retry.h:

common/base/stop.h:

common/pg/pg.h:

services/cli/progress.h:

services/cli/quarantine.h:

services/cli/cli.h:

common/base/config.h:

common/base/fault.h:

common/base/options.h:

common/base/program.h:

services/cli/quarantine_replay.h:

services/cli/text.h:

build-clang/gen/sql.h:
