build-clang/obj/services/aggregator/identity_cache.o: \
  services/aggregator/identity_cache.c \
  services/aggregator/identity_cache.h common/base/error.h \
  common/base/span.h common/base/hash.h

services/aggregator/identity_cache.h:

common/base/error.h:

common/base/span.h:

common/base/hash.h:
