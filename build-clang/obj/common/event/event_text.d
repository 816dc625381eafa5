build-clang/obj/common/event/event_text.o: common/event/event_text.c \
  common/event/event_text.h common/base/arena.h common/base/span.h \
  common/base/hex.h common/base/buffer.h common/base/error.h

common/event/event_text.h:

common/base/arena.h:

common/base/span.h:

common/base/hex.h:

common/base/buffer.h:

common/base/error.h:
