build-clang/obj/common/http/signature_schemes.o: \
  common/http/signature_schemes.c common/base/buffer.h \
  common/base/error.h common/base/span.h common/base/hex.h \
  common/base/arena.h common/http/signature_internal.h \
  common/http/signature.h common/base/fault.h common/kafka/record.h

common/base/buffer.h:

common/base/error.h:

common/base/span.h:

common/base/hex.h:

common/base/arena.h:

common/http/signature_internal.h:

common/http/signature.h:

common/base/fault.h:

common/kafka/record.h:
