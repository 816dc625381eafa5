build-clang/obj/common/pg/pg_wait.o: common/pg/pg_wait.c \
  common/pg/pg_internal.h /usr/include/postgresql/libpq-fe.h \
  /usr/include/postgresql/postgres_ext.h \
  /usr/include/postgresql/pg_config_ext.h common/pg/pg.h \
  common/base/buffer.h common/base/error.h common/base/span.h \
  common/base/clock.h common/base/log.h common/base/stop.h

common/pg/pg_internal.h:

/usr/include/postgresql/libpq-fe.h:

/usr/include/postgresql/postgres_ext.h:

/usr/include/postgresql/pg_config_ext.h:

common/pg/pg.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/clock.h:

common/base/log.h:

common/base/stop.h:
