build-clang/obj/services/aggregator/relay_window.o: \
  services/aggregator/relay_window.c services/aggregator/relay_window.h

services/aggregator/relay_window.h:
