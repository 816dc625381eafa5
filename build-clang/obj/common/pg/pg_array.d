build-clang/obj/common/pg/pg_array.o: common/pg/pg_array.c common/pg/pg.h \
  common/base/buffer.h common/base/error.h common/base/span.h

common/pg/pg.h:

common/base/buffer.h:

common/base/error.h:

common/base/span.h:
