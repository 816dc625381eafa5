build-clang/obj/common/http/signature.o: common/http/signature.c \
  common/http/signature_internal.h common/http/signature.h \
  common/base/fault.h common/base/error.h common/kafka/record.h \
  common/base/span.h common/base/config.h common/base/options.h \
  common/base/duration.h common/base/hex.h common/base/arena.h \
  common/base/buffer.h common/base/log.h common/event/event_time.h

common/http/signature_internal.h:

common/http/signature.h:

common/base/fault.h:

common/base/error.h:

common/kafka/record.h:

common/base/span.h:

common/base/config.h:

common/base/options.h:

common/base/duration.h:

common/base/hex.h:

common/base/arena.h:

common/base/buffer.h:

common/base/log.h:

common/event/event_time.h:
