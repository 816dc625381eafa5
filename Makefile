# Throughline. `make help` lists the targets.

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= cc
PYTHON  ?= /usr/bin/python3

PACKAGES := rdkafka jansson libpq libmicrohttpd libcurl libcrypto

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings
# WERROR= builds in spite of warnings (a compiler this tree has not met yet).
WERROR   ?= -Werror
OPTIMISE ?= -O2 -g
SANITIZE ?=
CFLAGS   ?=

PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -I. -I$(BUILD)/gen -pthread $(OPTIMISE) $(WARNINGS) $(WERROR) \
              -fno-omit-frame-pointer -fstack-protector-strong $(PKG_CFLAGS) $(SANITIZE) $(CFLAGS)
ALL_LIBS   := -pthread $(SANITIZE) $(PKG_LIBS) -lm

# Sources: a library for each part, its main left out, and a program for each main.
COMMON_SRC     := $(wildcard common/*.c common/*/*.c)
DEPARTMENT_SRC := $(filter-out %/main.c,$(wildcard services/department/*.c))
AGGREGATOR_SRC := $(filter-out %/main.c,$(wildcard services/aggregator/*.c))
CLI_SRC        := $(filter-out %/main.c,$(wildcard services/cli/*.c))
SQL_SRC        := $(wildcard services/*/sql/*.sql services/*/sql/migrations/*.sql)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

COMMON     := $(BUILD)/libcommon.a
DEPARTMENT := $(BUILD)/libdepartment.a
AGGREGATOR := $(BUILD)/libaggregator.a
CLI        := $(BUILD)/libcli.a

PROGRAMS := $(patsubst %,$(BUILD)/%,tl-sales tl-billing tl-service tl-department tl-aggregator \
              throughline tl-embedded-broker)

.PHONY: all check test e2e unit demo bench asan ubsan tsan format format-check lint install clean help dependencies
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS) ## build every program into build/

$(BUILD)/obj/%.o: %.c | $(BUILD)/gen/sql.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# SQL lives in .sql files; the programs carry it as constants (gen/sql.h, gen/migrations.h).
$(BUILD)/gen/sql.h: common/pg/embed-sql $(SQL_SRC)
	@mkdir -p $(@D)
	common/pg/embed-sql $(@D) $(SQL_SRC)

define library
$(1): $(2)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(eval $(call library,$(COMMON),$(call objects,$(COMMON_SRC))))
$(eval $(call library,$(DEPARTMENT),$(call objects,$(DEPARTMENT_SRC))))
$(eval $(call library,$(AGGREGATOR),$(call objects,$(AGGREGATOR_SRC))))
$(eval $(call library,$(CLI),$(call objects,$(CLI_SRC))))

link = $(CC) $(ALL_CFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS) $(ALL_LIBS)

$(BUILD)/tl-sales:      $(BUILD)/obj/services/sales/main.o      $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-billing:    $(BUILD)/obj/services/billing/main.o    $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-service:    $(BUILD)/obj/services/service/main.o    $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-department: $(BUILD)/obj/services/department/main.o $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-aggregator: $(BUILD)/obj/services/aggregator/main.o $(AGGREGATOR) $(COMMON); $(link)
$(BUILD)/throughline:   $(BUILD)/obj/services/cli/main.o $(CLI) $(AGGREGATOR) $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-embedded-broker: $(BUILD)/obj/deploy/demo/embedded_broker.o $(COMMON); $(link)

# Unit tests: a program for each tests/unit/test_*.c, linked with everything; cmocka reports.
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(CLI) $(AGGREGATOR) $(DEPARTMENT) $(COMMON)
	@mkdir -p $(@D)
	$(link) -lcmocka

unit: $(UNIT_TESTS)
	@tests/unit/run $(UNIT_TESTS)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
