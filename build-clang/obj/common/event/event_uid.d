build-clang/obj/common/event/event_uid.o: common/event/event_uid.c \
  common/event/event_uid.h common/base/error.h common/base/span.h \
  common/base/hex.h common/base/arena.h common/base/buffer.h

common/event/event_uid.h:

common/base/error.h:

common/base/span.h:

common/base/hex.h:

common/base/arena.h:

common/base/buffer.h:
