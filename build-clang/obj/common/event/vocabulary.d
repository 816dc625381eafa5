build-clang/obj/common/event/vocabulary.o: common/event/vocabulary.c \
  common/event/vocabulary.h common/base/arena.h common/base/span.h \
  common/base/fault.h common/base/error.h common/json/predicate.h \
  common/base/config.h common/base/options.h common/base/duration.h \
  common/base/log.h common/event/event.h common/event/event_text.h \
  common/event/template.h common/json/json_pointer.h

common/event/vocabulary.h:

common/base/arena.h:

common/base/span.h:

common/base/fault.h:

common/base/error.h:

common/json/predicate.h:

common/base/config.h:

common/base/options.h:

common/base/duration.h:

common/base/log.h:

common/event/event.h:

common/event/event_text.h:

common/event/template.h:

common/json/json_pointer.h:
