build-clang/obj/common/event/identity_kinds.o: \
  common/event/identity_kinds.c common/base/config.h common/base/fault.h \
  common/base/error.h common/base/options.h common/base/log.h \
  common/event/identity_rule.h common/event/identity.h \
  common/base/arena.h common/base/span.h common/json/json_pointer.h

common/base/config.h:

common/base/fault.h:

common/base/error.h:

common/base/options.h:

common/base/log.h:

common/event/identity_rule.h:

common/event/identity.h:

common/base/arena.h:

common/base/span.h:

common/json/json_pointer.h:
