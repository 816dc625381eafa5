build-clang/obj/services/aggregator/trouble.o: \
  services/aggregator/trouble.c services/aggregator/trouble.h

services/aggregator/trouble.h:
