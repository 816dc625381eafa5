build-clang/obj/common/event/identity.o: common/event/identity.c \
  common/event/identity.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/base/hex.h \
  common/base/buffer.h common/event/event_text.h \
  common/event/identity_rule.h common/json/json_pointer.h

common/event/identity.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/base/hex.h:

common/base/buffer.h:

common/event/event_text.h:

common/event/identity_rule.h:

common/json/json_pointer.h:
