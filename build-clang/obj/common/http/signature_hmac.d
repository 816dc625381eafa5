build-clang/obj/common/http/signature_hmac.o: \
  common/http/signature_hmac.c common/http/signature_internal.h \
  common/http/signature.h common/base/fault.h common/base/error.h \
  common/kafka/record.h common/base/span.h

common/http/signature_internal.h:

common/http/signature.h:

common/base/fault.h:

common/base/error.h:

common/kafka/record.h:

common/base/span.h:
