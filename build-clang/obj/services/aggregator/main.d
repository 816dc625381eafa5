build-clang/obj/services/aggregator/main.o: services/aggregator/main.c \
  services/aggregator/aggregator.h

services/aggregator/aggregator.h:
