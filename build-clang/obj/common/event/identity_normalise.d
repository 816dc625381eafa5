build-clang/obj/common/event/identity_normalise.o: \
  common/event/identity_normalise.c common/event/event_text.h \
  common/base/arena.h common/base/span.h common/event/identity_rule.h \
  common/event/identity.h common/base/fault.h common/base/error.h

common/event/event_text.h:

common/base/arena.h:

common/base/span.h:

common/event/identity_rule.h:

common/event/identity.h:

common/base/fault.h:

common/base/error.h:
