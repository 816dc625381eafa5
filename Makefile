# Throughline. `make help` lists the targets.

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= cc
PYTHON  ?= /usr/bin/python3

PACKAGES := rdkafka jansson libpq libmicrohttpd gnutls libcurl libcrypto

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wformat=2 -Wundef -Wvla -Wcast-qual -Wwrite-strings
# WERROR= builds in spite of warnings (a compiler this tree has not met yet).
WERROR   ?= -Werror
# DWARF 4 is what valgrind 3.19 (Debian 12) can read of clang's, too.
OPTIMISE ?= -O2 -gdwarf-4
SANITIZE ?=
CFLAGS   ?=

# Says what is missing before the compiler does, in words that help. Targets that
# build nothing, or install what they need themselves, do without.
GOALS := $(filter-out help clean uninstall dependencies test test-docker demo format format-check lint,$(or $(MAKECMDGOALS),all))
ifneq ($(GOALS),)
MISSING := $(shell command -v $(firstword $(CC)) >/dev/null || echo '$(CC)'; \
             if ! command -v pkg-config >/dev/null; then echo pkg-config; else \
             for package in $(PACKAGES); do pkg-config --exists $$package || echo $$package; done; fi)
ifneq ($(MISSING),)
$(error not found: $(MISSING). `deploy/install-dependencies build` installs what the build needs)
endif
ifneq ($(filter unit check failing asan ubsan tsan,$(GOALS)),)
ifneq ($(shell pkg-config --exists cmocka || echo missing),)
$(error not found: cmocka. `deploy/install-dependencies test` installs what the tests need)
endif
endif
endif

PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -I. -I$(BUILD)/gen -pthread $(OPTIMISE) $(WARNINGS) $(WERROR) \
              -fno-omit-frame-pointer -fstack-protector-strong $(PKG_CFLAGS) $(SANITIZE) $(CFLAGS)
ALL_LIBS   := -pthread $(SANITIZE) $(PKG_LIBS) -lm

# `make V=1` shows the commands whole.
Q   := $(if $(V),,@)
say  = @printf '  %-5s %s\n' $(1) '$@'

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

# ThreadSanitizer does not know C11's threads, which librdkafka runs on: every program brings its own.
THREADS := $(if $(findstring thread,$(SANITIZE)),$(BUILD)/obj/tests/support/tsan_threads.o)

PROGRAMS := $(patsubst %,$(BUILD)/%,tl-sales tl-billing tl-service tl-department tl-aggregator \
              throughline tl-embedded-broker)

.PHONY: FORCE all check unit failing test e2e demo bench bench-timeline asan ubsan tsan e2e-asan e2e-ubsan e2e-tsan format format-check lint install clean help \
        dependencies
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS) ## build every program into build/

# Another compiler, or other flags, build everything anew.
$(BUILD)/gen/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || printf '%s\n' '$(CC) $(ALL_CFLAGS)' > $@
FORCE:

$(BUILD)/obj/%.o: %.c $(BUILD)/gen/flags | $(BUILD)/gen/sql.h
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# SQL lives in .sql files; the programs carry it as constants (gen/sql.h, gen/migrations.h).
$(BUILD)/gen/sql.h: common/pg/embed-sql $(SQL_SRC)
	@mkdir -p $(@D)
	$(call say,SQL)
	$(Q)common/pg/embed-sql $(@D) $(SQL_SRC)

define library
$(1): $(2)
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)$$(AR) rcs $$@ $$^
endef
$(eval $(call library,$(COMMON),$(call objects,$(COMMON_SRC))))
$(eval $(call library,$(DEPARTMENT),$(call objects,$(DEPARTMENT_SRC))))
$(eval $(call library,$(AGGREGATOR),$(call objects,$(AGGREGATOR_SRC))))
$(eval $(call library,$(CLI),$(call objects,$(CLI_SRC))))

link = $(Q)printf '  %-5s %s\n' LINK '$@' && $(CC) $(ALL_CFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS) $(ALL_LIBS)

$(BUILD)/tl-sales:      $(BUILD)/obj/services/sales/main.o      $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-billing:    $(BUILD)/obj/services/billing/main.o    $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-service:    $(BUILD)/obj/services/service/main.o    $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-department: $(BUILD)/obj/services/department/main.o $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-aggregator: $(BUILD)/obj/services/aggregator/main.o $(AGGREGATOR) $(COMMON); $(link)
$(BUILD)/throughline:   $(BUILD)/obj/services/cli/main.o $(CLI) $(AGGREGATOR) $(DEPARTMENT) $(COMMON); $(link)
$(BUILD)/tl-embedded-broker: $(BUILD)/obj/deploy/demo/embedded_broker.o $(COMMON); $(link)
$(PROGRAMS): $(THREADS)

# Unit tests: a program for each tests/unit/test_*.c, linked with everything; cmocka reports.
# UNIT='test_pg test_batch' builds and runs those alone.
UNIT       ?= $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_TESTS := $(addprefix $(BUILD)/unit/,$(UNIT))

# Tests that fail every call in turn have our objects' calls go through wrappers. Which, the objects
# say themselves: one that has neither a wrapper nor a line in failing_exempt does not link, nor does
# a wrapper of what nothing calls any more.
FAILING_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_failing_*.c))
FAILING     := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/unit/failing*.c))
WRAP_ALWAYS := malloc calloc realloc strdup stop_requested stop_wait

$(BUILD)/gen/failing.ld: tests/unit/failing_exempt $(AGGREGATOR) $(DEPARTMENT) $(COMMON)
	@mkdir -p $(@D)
	$(Q)sed 's/#.*//' $< | tr -s ' ' '\n' | grep . > $@.exempt
	$(Q)nm -u $(filter %.a,$^) | sed -nE 's/^ +U ((PQ|rd_kafka_|MHD_)[A-Za-z0-9_]+)$$/\1/p' | \
	    sort -u | grep -vxFf $@.exempt | sed 's/^/--wrap=/' > $@
	$(Q)printf -- '--wrap=%s\n' $(WRAP_ALWAYS) >> $@

# Named one by one: of two patterns make would take the other as long as an object is still to be made.
$(FAILING_TESTS:%=$(BUILD)/unit/%): $(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(FAILING) $(BUILD)/gen/failing.ld \
                                    $(THREADS) $(AGGREGATOR) $(DEPARTMENT) $(COMMON)
	@mkdir -p $(@D)
	$(link) -Wl,@$(BUILD)/gen/failing.ld -lcmocka

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(THREADS) $(CLI) $(AGGREGATOR) $(DEPARTMENT) $(COMMON)
	@mkdir -p $(@D)
	$(link) -lcmocka

check: all unit format-check ## build, unit tests and format, without servers, in a minute
	@tests/support/check-tree

unit: $(UNIT_TESTS) ## unit tests alone
	@tests/unit/run $(UNIT_TESTS)

test: ## everything: installs what the tests need, unit tests, fuzzing, then end to end with real servers
	@BUILD=$(BUILD) tests/run

e2e: all ## end-to-end tests alone, against a real Kafka and PostgreSQL (TESTS='-k name')
	@BUILD=$(BUILD) tests/run e2e $(TESTS)

.PHONY: test-docker
test-docker: ## the stack in Docker, from a copy of the tree: start, kills, backup, upgrade, containment; 8 minutes (TESTS='-k name')
	@BUILD=$(BUILD) tests/docker/run $(TESTS)

.PHONY: soak test-planted
soak: all ## every kind of fault while 200,000 events come in; 8 minutes (SEED=n repeats a plan)
	@BUILD=$(BUILD) FORM=long SEED=$(SEED) tests/run e2e tests/faults/test_faults.py -q -s

test-planted: all ## does the fault test find bugs? builds some, each must be caught; 15 minutes (BUGS='name …')
	@BUILD=$(BUILD) tests/faults/planted/run $(BUGS)

demo: ## one customer's story through three departments (ONCE=1 ends by itself)
	@BUILD=$(BUILD) deploy/demo/run $(if $(ONCE),--once)

# Of the benchmark: what fills Kafka, and the yardstick.
$(BUILD)/bench/produce_backlog: $(BUILD)/obj/tests/bench/backlog_event.o
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(COMMON)
	@mkdir -p $(@D)
	$(link)

bench: all $(BUILD)/bench/produce_backlog $(BUILD)/bench/copy_rows ## a backlog of 1,000,000 events into the timeline, beside bare COPY (BENCH='--events N --rounds N --handoffs')
	@BUILD=$(BUILD) tests/bench/run $(BENCH)

bench-timeline: all $(BUILD)/bench/produce_backlog ## how long a page of 50 of one customer among 1,000,000 events takes, p99 (BENCH='--walks N')
	@BUILD=$(BUILD) tests/bench/timeline $(BENCH)

.PHONY: bench-handoffs
bench-handoffs: all ## how long from an event's 202 until its handoff is at the receiver, at 500 events/s, p50 and p99 (BENCH='--seconds N')
	@BUILD=$(BUILD) tests/bench/handoff_latency $(BENCH)

# Sanitizers build into folders of their own. Whatever one finds in any program, a killed or crashed one
# among them, fails the run (tests/support/sanitizer.py).
ASAN  := BUILD=$(BUILD)/asan OPTIMISE='-O1 -gdwarf-4' SANITIZE='-fsanitize=address'
UBSAN := BUILD=$(BUILD)/ubsan OPTIMISE='-O1 -gdwarf-4' SANITIZE='-fsanitize=undefined -fno-sanitize-recover=undefined'
TSAN  := BUILD=$(BUILD)/tsan OPTIMISE='-O1 -gdwarf-4' SANITIZE='-fsanitize=thread'

asan: ## unit tests under AddressSanitizer
	$(MAKE) $(ASAN) unit

failing: ## unit tests that fail every call in turn, under AddressSanitizer with its search for leaks
	@$(MAKE) --no-print-directory $(ASAN) UNIT='$(FAILING_TESTS)' unit

ubsan: ## unit tests under UndefinedBehaviorSanitizer
	$(MAKE) $(UBSAN) unit

tsan: ## unit tests under ThreadSanitizer
	TSAN_OPTIONS="suppressions=$(CURDIR)/tests/support/tsan.supp" $(MAKE) $(TSAN) unit

e2e-asan: ## end-to-end tests, every program under AddressSanitizer with its search for leaks (TESTS='-k name')
	$(MAKE) $(ASAN) e2e

e2e-ubsan: ## the same under UndefinedBehaviorSanitizer
	$(MAKE) $(UBSAN) e2e

e2e-tsan: ## the same under ThreadSanitizer
	$(MAKE) $(TSAN) e2e

# A program for each tests/fuzz/fuzz_*.c, over what they share; tests/fuzz/run calls
# for them with clang, its sanitizers, and a folder of their own.
FUZZ_KIT     := $(patsubst %,$(BUILD)/obj/tests/fuzz/%.o,kit json_mutator travel mapped)
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(BUILD)/bin/%,$(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/bin/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(FUZZ_KIT) $(CLI) $(AGGREGATOR) $(DEPARTMENT) $(COMMON)
	@mkdir -p $(@D)
	$(link) -fsanitize=fuzzer

.PHONY: fuzz fuzz-targets
fuzz-targets: $(FUZZ_TARGETS)

SECONDS ?= 60

fuzz: ## every parser of bytes from outside, by libFuzzer (SECONDS=600 of processor time each; FUZZ=json,record)
	@BUILD=$(BUILD) tests/fuzz/run --seconds $(SECONDS) $(if $(FUZZ),--targets $(FUZZ))

C_FILES = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h' 2>/dev/null)

format: ## format the C files by .clang-format
	@clang-format -i $(C_FILES)

format-check: ## fail where clang-format would change something
	@if ! command -v clang-format >/dev/null; then \
	    echo 'SKIPPED: format-check, clang-format is not installed'; \
	elif [ -z '$(firstword $(C_FILES))' ]; then \
	    echo 'SKIPPED: format-check, this is no git checkout'; \
	else clang-format --dry-run --Werror $(C_FILES) && echo 'format-check: nothing to change'; fi

lint: $(BUILD)/gen/sql.h ## clang-tidy, and the rules of the tree
	@tests/support/check-tree
	@if ! command -v clang-tidy >/dev/null; then echo 'SKIPPED: clang-tidy is not installed'; else \
	    printf '%s\n' $(filter-out tests/%,$(filter %.c,$(C_FILES))) | xargs -P 2 -n 8 sh -c \
	    'clang-tidy --quiet "$$@" -- -std=c11 -D_GNU_SOURCE -I. -I$(BUILD)/gen $(PKG_CFLAGS) 2>/dev/null' lint; fi

# What is installed; uninstall takes away the same. Units name PREFIX, whatever DESTDIR is.
INSTALLED := $(notdir $(filter-out %/tl-embedded-broker,$(PROGRAMS)))
SHARE     := $(DESTDIR)$(PREFIX)/share/throughline
UNIT_DIR  ?= $(PREFIX)/lib/systemd/system
UNITS     := $(wildcard deploy/systemd/*.service)

install: all ## install programs, units of systemd, and configuration and documents as examples, under PREFIX (DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)
	install $(INSTALLED:%=$(BUILD)/%) $(DESTDIR)$(PREFIX)/bin
	cp -R config docs $(SHARE)
	$(if $(wildcard .env.example),install -m 644 .env.example $(SHARE)/throughline.env.example)
	$(if $(UNITS),install -d $(DESTDIR)$(UNIT_DIR))
	$(foreach unit,$(UNITS),sed 's|@PREFIX@|$(PREFIX)|g' '$(unit)' >'$(DESTDIR)$(UNIT_DIR)/$(notdir $(unit))' &&) true

.PHONY: uninstall
uninstall: ## take away what install has put under PREFIX (DESTDIR); /etc/throughline stays
	rm -f $(INSTALLED:%=$(DESTDIR)$(PREFIX)/bin/%) $(foreach unit,$(UNITS),'$(DESTDIR)$(UNIT_DIR)/$(notdir $(unit))')
	rm -rf $(SHARE)

dependencies: ## install what building, demo and tests need (Debian, Ubuntu)
	deploy/install-dependencies build demo test

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
