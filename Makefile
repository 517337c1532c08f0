# SPDX-License-Identifier: Apache-2.0
# Builds virt-ferry, its plugins and its tests. `make help` lists the targets; V=1 shows each command.
# Every path below can be given on the command line; objects stay under build/MODE.

VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DOCDIR ?= $(PREFIX)/share/doc/virt-ferry
MANDIR ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
PLUGINDIR ?= $(LIBDIR)/virt-ferry/plugins
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
DESTDIR ?=

PKG_CONFIG ?= pkg-config
AR ?= ar
INSTALL ?= install
MODE ?= release
BUILD ?= build
B := $(BUILD)/$(MODE)

ifneq ($(filter-out release debug asan,$(MODE)),)
$(error virt-ferry: MODE is release, debug or asan, not '$(MODE)')
endif

MAKEFLAGS += --no-print-directory --no-builtin-rules
ifneq ($(V),1)
Q := @
quiet = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all release debug asan install unit unit-programs fuzz fuzz-programs fuzz-short \
	fuzz-libfuzzer check check-all demo readme-picture matrix faults faults-compare bench bench-plan bench-copy lint \
	clean help
all: $(MODE)

# ---- sources: everything that stands there ----

CORE_SOURCES := $(filter-out core/cli/main.c,$(sort $(wildcard core/*/*.c)))
MAIN_SOURCE := core/cli/main.c
UNIT_ALL := $(sort $(wildcard tests/unit/*.c tests/unit/*/*.c))
UNIT_SOURCES := $(filter %-test.c,$(UNIT_ALL))
UNIT_SHARED := $(filter-out %-test.c,$(UNIT_ALL))
# plugins/common is none: its sources are built into those that name them.
PLUGINS := $(filter-out common,$(sort $(notdir $(patsubst %/,%,$(dir $(wildcard plugins/*/*.c))))))

# What a plugin links with, beside libc: PLUGIN_LIBS_NAME.
PLUGIN_LIBS_local-block = -lvirt -luring -lpthread
PLUGIN_LIBS_nfs = -lnfs -lvirt
# The library of Kerberos is opened when it is needed: plugins/transport-tls/ticket.h.
PLUGIN_LIBS_transport-tls = -lgnutls -lvirt -ldl
# librados and librbd are opened when they are needed: plugins/ceph/library.h.
PLUGIN_LIBS_ceph = -lvirt -ljansson -ldl
# What a plugin takes of plugins/common: PLUGIN_SHARES_NAME. Two plugins share no symbols.
PLUGIN_SHARES_local-block = $(addprefix plugins/common/,new-image.c qcow2.c qcow2-head.c tell-head.c words.c)
PLUGIN_SHARES_nfs = $(PLUGIN_SHARES_local-block)
PLUGIN_SHARES_transport-ssh = plugins/common/reach.c
PLUGIN_SHARES_transport-tls = plugins/common/reach.c

# ---- libraries: asked once for a whole run, and not by a target that needs none ----

PACKAGES := libvirt libxml-2.0 jansson inih smartcols libnfs gnutls liburing libxxhash libnbd
DEBIAN_libvirt := libvirt-dev
DEBIAN_libxml-2.0 := libxml2-dev
DEBIAN_jansson := libjansson-dev
DEBIAN_inih := libinih-dev
DEBIAN_smartcols := libsmartcols-dev
DEBIAN_libnfs := libnfs-dev
DEBIAN_gnutls := libgnutls28-dev
DEBIAN_liburing := liburing-dev
DEBIAN_libxxhash := libxxhash-dev
DEBIAN_libnbd := libnbd-dev
DEBIAN_check := check

GOALS := $(or $(MAKECMDGOALS),all)
# The answers travel to the makes below this one.
ask = $(shell $(PKG_CONFIG) --cflags --libs $(1) 2>/dev/null || echo missing)
lacking = $(shell command -v $(PKG_CONFIG) >/dev/null || echo pkg-config; \
	for p in $(1); do $(PKG_CONFIG) --exists $$p 2>/dev/null || echo $$p; done)
refuse = $(error virt-ferry: $(1) is missing: install $(or $(DEBIAN_$(1)),$(1)), or run contrib/install-deps)
# Libraries without a pkg-config file are known by a header.
HEADERS := rados/librados.h rbd/librbd.h
DEBIAN_rados/librados.h := librados-dev
DEBIAN_rbd/librbd.h := librbd-dev
has_header = $(shell $(CC) $(CPPFLAGS) -E -include $(1) -x c /dev/null -o /dev/null 2>/dev/null && echo there)
lacking_header = $(strip $(foreach h,$(1),$(if $(call has_header,$(h)),,$(h))))
export FERRY_FLAGS FERRY_CHECK_FLAGS FERRY_HEADERS

ifneq ($(filter-out check demo readme-picture clean help,$(GOALS)),)
ifndef FERRY_FLAGS
FERRY_FLAGS := $(call ask,$(PACKAGES))
endif
ifneq ($(filter missing,$(FERRY_FLAGS)),)
$(call refuse,$(firstword $(call lacking,$(PACKAGES))))
endif
ifndef FERRY_HEADERS
FERRY_HEADERS := $(or $(call lacking_header,$(HEADERS)),there)
endif
ifneq ($(FERRY_HEADERS),there)
$(call refuse,$(firstword $(FERRY_HEADERS)))
endif
endif

ifneq ($(filter unit unit-programs check-all lint,$(GOALS)),)
ifndef FERRY_CHECK_FLAGS
FERRY_CHECK_FLAGS := $(call ask,check)
endif
ifneq ($(filter missing,$(FERRY_CHECK_FLAGS)),)
$(call refuse,check)
endif
endif

IS_LIB := -l% -L% -pthread
LIBS := $(filter $(IS_LIB),$(FERRY_FLAGS)) -ldl -lpthread -lm
LIBS_UNIT = $(filter $(IS_LIB),$(FERRY_CHECK_FLAGS))
LIBS_PATHS := $(filter -L%,$(FERRY_FLAGS))
INCLUDES := $(filter-out $(IS_LIB),$(FERRY_FLAGS))

# ---- flags ----

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wformat-security
HARDENING := -fstack-protector-strong -fstack-clash-protection
CFLAGS_release := -O2 -g
CFLAGS_debug := -O0 -g3
CFLAGS_asan := -O1 -g3 -fno-omit-frame-pointer
CFLAGS ?= $(CFLAGS_$(MODE))
MODE_release := -D_FORTIFY_SOURCE=2
MODE_debug := -DFERRY_FAULTS
MODE_asan := -DFERRY_FAULTS -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZE := $(filter -fsanitize% -fno-sanitize%,$(MODE_$(MODE)))

STANDARD := -std=gnu11 -D_GNU_SOURCE
COMMON := $(STANDARD) $(WARNINGS) $(HARDENING) $(MODE_$(MODE)) -MMD -MP
DEFINES := -DFERRY_VERSION='"$(VERSION)"' -DFERRY_PLUGIN_DIR='"$(PLUGINDIR)"' \
	-DFERRY_CONF='"$(SYSCONFDIR)/virt-ferry.conf"'
CORE_FLAGS := $(COMMON) -fPIE -Icore $(DEFINES) $(INCLUDES) $(CPPFLAGS) $(CFLAGS)
UNIT_FLAGS = $(CORE_FLAGS) -Icore/plugin -Itests/unit $(filter-out $(IS_LIB),$(FERRY_CHECK_FLAGS))
PLUGIN_FLAGS := $(COMMON) -fPIC -fvisibility=hidden -Icore/plugin $(INCLUDES) $(CPPFLAGS) $(CFLAGS)
LINK_COMMON := -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(CFLAGS) $(LDFLAGS)
LINK_PROGRAM := -pie $(LINK_COMMON)
LINK_PLUGIN := -shared -Wl,-z,defs $(LINK_COMMON)

# A change of flags or of the list of files must rebuild, and a run that changes nothing must print nothing:
# so each is written while the Makefile is read, and only when it differs.
stamp = $(shell mkdir -p $(B) && printf '%s\n' '$(subst ','\'',$(2))' >$(B)/$(1).new && \
	if cmp -s $(B)/$(1).new $(B)/$(1); then rm -f $(B)/$(1).new; else mv $(B)/$(1).new $(B)/$(1); fi)
ifneq ($(filter $(MODE) all unit unit-programs fuzz-programs fuzz-short install bench bench-plan bench-copy $(B)/%,$(GOALS)),)
$(call stamp,flags,$(CC) $(CORE_FLAGS) $(LINK_PROGRAM) $(LINK_PLUGIN) $(LIBS))
$(call stamp,files,$(CORE_SOURCES) $(UNIT_SHARED) $(wildcard plugins/*/*.c))
endif

# ---- what is built ----

objects = $(patsubst %.c,$(B)/%.o,$(1))
PROGRAM := $(B)/virt-ferry
SSH_PROGRAMS := $(patsubst %,$(B)/plugins/transport-ssh-%,dial session)
PLUGIN_FILES := $(patsubst %,$(B)/plugins/%.so,$(PLUGINS)) $(SSH_PROGRAMS)
UNIT_PROGRAMS := $(patsubst %.c,$(B)/%,$(UNIT_SOURCES))

$(MODE): $(PROGRAM) $(B)/libcore.a $(PLUGIN_FILES)

$(filter-out $(MODE),release debug asan):
	+$(Q)$(MAKE) MODE=$@ $@

# Two members may bear one name (base/json.o, facts/json.o): appended to a fresh archive, both stay.
$(B)/libcore.a: $(call objects,$(CORE_SOURCES)) $(B)/files
	$(call quiet,AR,$@)rm -f $@ && $(AR) qcsD $@ $(filter %.o,$^)

$(B)/virt-ferry: $(call objects,$(MAIN_SOURCE)) $(B)/libcore.a
	$(call quiet,LINK,$@)$(CC) $(LINK_PROGRAM) -o $@ $^ $(LIBS)

$(B)/core/%.o: core/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(CORE_FLAGS) -c -o $@ $<

$(B)/plugins/%.o: plugins/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(PLUGIN_FLAGS) -c -o $@ $<

define plugin_rule
$(B)/plugins/$(1).so: $(call objects,$(sort $(wildcard plugins/$(1)/*.c) $(PLUGIN_SHARES_$(1)))) $(B)/files
	$$(call quiet,PLUGIN,$$@)$$(CC) $$(LINK_PLUGIN) -o $$@ $$(filter %.o,$$^) $$(LIBS_PATHS) $$(PLUGIN_LIBS_$(1))
endef
$(foreach plugin,$(PLUGINS),$(eval $(call plugin_rule,$(plugin))))

# Programs that the plugin beside them runs, or has run by ssh.
$(SSH_PROGRAMS): $(B)/plugins/transport-ssh-%: $(B)/plugins/transport-ssh/%/main.o $(B)/plugins/common/pass-fd.o
	$(call quiet,LINK,$@)$(CC) $(LINK_PROGRAM) -o $@ $^

# ---- tests ----

unit-programs: $(MODE) $(UNIT_PROGRAMS)

$(B)/tests/%.o: tests/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(UNIT_FLAGS) -c -o $@ $<

$(UNIT_PROGRAMS): %: %.o $(call objects,$(UNIT_SHARED)) $(B)/libcore.a
	$(call quiet,LINK,$@)$(CC) $(LINK_PROGRAM) -o $@ $^ $(LIBS) $(LIBS_UNIT)

COUNTS := $(BUILD)/counts

unit: unit-programs
	$(Q)mkdir -p $(COUNTS)
	$(Q)FERRY_BUILD=$(B) COUNTS=$(COUNTS)/unit tests/unit/run-all $(UNIT_PROGRAMS)

# ---- fuzz targets ----

FUZZ_TARGETS := facts domain-xml copy qcow2-head places
FUZZ_CORE := $(filter core/base/% core/facts/% core/plan/% core/plugin/% core/copy/%,$(CORE_SOURCES))
FUZZ_PROGRAMS := $(patsubst %,$(B)/tests/fuzz/%,$(FUZZ_TARGETS))
FUZZ_SECONDS ?= 60
FUZZ_INPUTS ?= 1000

# MODE=asan: with any compiler, the same inputs everywhere.
$(FUZZ_PROGRAMS): %: %.o $(B)/tests/fuzz/driver.o $(call objects,$(FUZZ_CORE))
	$(call quiet,LINK,$@)$(CC) $(LINK_PROGRAM) -o $@ $^ $(LIBS)

fuzz-programs: $(FUZZ_PROGRAMS)

fuzz-short: fuzz-programs
	$(Q)mkdir -p $(COUNTS)
	$(Q)COUNTS=$(COUNTS)/fuzz tests/fuzz/run $(B) -n $(FUZZ_INPUTS)

# With libFuzzer where clang has it, which looks for inputs that reach new code; else with the driver for as long.
FUZZ_CLANG ?= $(shell command -v clang >/dev/null && echo 'int LLVMFuzzerTestOneInput(void){return 0;}' | \
	clang -fsanitize=fuzzer,address -x c -o /dev/null - 2>/dev/null && echo clang)
FUZZ_FLAGS := $(STANDARD) -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all -Icore $(DEFINES) $(INCLUDES)

$(BUILD)/fuzz/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.h tests/fuzz/planned.h tests/unit/copy/memory.h $(FUZZ_CORE)
	@mkdir -p $(@D)
	$(call quiet,CLANG,$@)$(FUZZ_CLANG) $(FUZZ_FLAGS) -o $@ $< $(FUZZ_CORE) $(LIBS)

fuzz-libfuzzer: $(patsubst %,$(BUILD)/fuzz/tests/fuzz/%,$(FUZZ_TARGETS))
	$(Q)tests/fuzz/run $(BUILD)/fuzz -f $(FUZZ_SECONDS)

fuzz:
ifneq ($(filter fuzz,$(GOALS)),)
ifeq ($(FUZZ_CLANG),)
	+$(Q)$(MAKE) -s MODE=asan fuzz-programs && tests/fuzz/run $(BUILD)/asan -s $(FUZZ_SECONDS)
else
	+$(Q)$(MAKE) FUZZ_CLANG=$(FUZZ_CLANG) fuzz-libfuzzer
endif
endif

check:
	$(Q)contrib/install-deps
	+$(Q)$(MAKE) check-all

# A test that fails does not keep the next set from running; a build that fails does. A set that ends without its
# counts, or badly without a failure among them, is one failure.
settle = code=$$?; touch '$(COUNTS)/$(1)' && awk -v code=$$code '{ p += $$1; f += $$2; s += $$3 } END { \
	if (!NR || (code && !f)) f++; print p + 0, f + 0, s + 0 }' '$(COUNTS)/$(1)' >'$(COUNTS)/$(1).new' && \
	mv '$(COUNTS)/$(1).new' '$(COUNTS)/$(1)'

check-all:
	$(Q)rm -rf $(COUNTS) && mkdir -p $(COUNTS)
	+$(Q)$(MAKE) MODE=release release
	+$(Q)$(MAKE) MODE=debug debug unit-programs
	+$(Q)$(MAKE) -s MODE=debug unit; $(call settle,unit)
	+$(Q)$(MAKE) -s MODE=asan fuzz-programs
	+$(Q)$(MAKE) -s MODE=asan fuzz-short; $(call settle,fuzz)
	$(Q)if test -x tests/integration/run; then \
		BUILD='$(abspath $(BUILD))' COUNTS='$(abspath $(COUNTS))/integration' tests/integration/run; \
		$(call settle,integration); fi
	$(Q)awk '{ p += $$1; f += $$2; s += $$3 } END { printf "%d passed, %d failed", p, f; \
		if (s) printf ", %d skipped", s; print ""; exit f > 0 || p == 0 }' $(COUNTS)/*

demo:
	$(Q)contrib/install-deps
	+$(Q)$(MAKE) release
	$(Q)BUILD='$(abspath $(BUILD))' tests/demo/run

# What takes too long for each check: every kind of storage by every transport, with the table of docs/storage.md,
# more of Ceph's keys, Kerberos (with a KDC that is installed for it), the lab's servers by themselves, and the faults of the hand-over again and at every step.
matrix:
	$(Q)contrib/install-deps matrix
	+$(Q)$(MAKE) release
	+$(Q)$(MAKE) MODE=debug debug
	$(Q)rm -f '$(BUILD)/matrix.md' '$(BUILD)/channels.md'; r=0; BUILD='$(abspath $(BUILD))' VIRT_FERRY_BUILD='$(abspath $(BUILD))/release' \
		MATRIX_TABLE='$(abspath $(BUILD))/matrix.md' MATRIX_CHANNELS='$(abspath $(BUILD))/channels.md' \
		tests/integration/run tests/matrix/*.sh || r=1; \
		VIRT_FERRY_BUILD='$(abspath $(BUILD))/debug' tests/integration/run --deep || r=1; \
		VIRT_FERRY_BUILD='$(abspath $(BUILD))/debug' STEPS_APART=1 tests/integration/run \
		--run 'kill -9 of virt-ferry' tests/integration/50-handover.sh || r=1; \
		cat '$(BUILD)/matrix.md' '$(BUILD)/channels.md'; exit $$r

# Faults of the hand-over, dealt from SEED: tests/faults/README.md.
N ?= 40
SEED ?= 1

faults: debug
	$(Q)BUILD='$(abspath $(BUILD))' tests/faults/run --n $(N) --seed $(SEED) --results '$(abspath $(BUILD))/faults-$(SEED)'

faults-compare: debug
	$(Q)BUILD='$(abspath $(BUILD))' SEED=$(SEED) tests/faults/compare

readme-picture:
	$(Q)contrib/install-deps
	+$(Q)$(MAKE) release
	$(Q)BUILD='$(abspath $(BUILD))' tests/demo/readme-picture

bench: release bench-plan
	$(Q)VIRT_FERRY_BUILD='$(abspath $(B))' tests/bench/run
	$(Q)VIRT_FERRY_BUILD='$(abspath $(B))' tests/bench/relocate

bench-plan: $(B)/tests/bench/plan-scale
	$(Q)$<

bench-copy: release
	$(Q)VIRT_FERRY_BUILD='$(abspath $(B))' tests/bench/copy

$(B)/tests/bench/plan-scale: %: %.o $(B)/libcore.a
	$(call quiet,LINK,$@)$(CC) $(LINK_PROGRAM) -o $@ $^ $(LIBS)

C_FILES = $(shell find core plugins tests contrib -name '*.[ch]' 2>/dev/null)
SHELL_FILES = $(shell find contrib tests .ci -type f -exec grep -lIE '^\#!.*\b(ba|da)?sh\b' {} + 2>/dev/null)
TIDY_FLAGS = $(STANDARD) -Icore -Icore/plugin -Itests/unit $(DEFINES) $(INCLUDES)

lint:
	clang-format --dry-run -Werror $(C_FILES)
	printf '%s\n' $(filter core/%.c plugins/%.c tests/unit/%.c,$(C_FILES)) | \
		xargs -P 2 -I{} clang-tidy --quiet {} -- $(TIDY_FLAGS)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,portability,performance \
		--suppressions-list=.cppcheck-suppressions --library=.cppcheck.cfg -Icore -Icore/plugin core plugins
	shellcheck -x $(SHELL_FILES)

# ---- installation and the rest ----

# Without scdoc there is no manual page, and all else is there.
SCDOC := $(if $(filter install $(B)/virt-ferry.1,$(GOALS)),$(shell command -v scdoc))
MANUAL := $(if $(SCDOC),$(B)/virt-ferry.1)

$(B)/virt-ferry.1: docs/virt-ferry.1.scd
	$(call quiet,MAN,$@)$(SCDOC) <$< >$@

install: $(MODE) $(MANUAL)
	$(Q)$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(SBINDIR)' '$(DESTDIR)$(PLUGINDIR)' '$(DESTDIR)$(INCLUDEDIR)' \
		'$(DESTDIR)$(PKGCONFIGDIR)' '$(DESTDIR)$(DOCDIR)'
	$(Q)$(INSTALL) -m 0755 $(PROGRAM) '$(DESTDIR)$(BINDIR)/'
	$(Q)$(INSTALL) -m 0755 contrib/host-setup '$(DESTDIR)$(SBINDIR)/virt-ferry-host-setup'
	$(Q)$(INSTALL) -m 0755 $(PLUGIN_FILES) '$(DESTDIR)$(PLUGINDIR)/'
	$(Q)$(INSTALL) -m 0644 core/plugin/virt-ferry-plugin.h '$(DESTDIR)$(INCLUDEDIR)/'
	$(Q)$(INSTALL) -m 0644 $(wildcard README.md LICENSE) '$(DESTDIR)$(DOCDIR)/'
	$(Q)$(INSTALL) -d '$(DESTDIR)$(DOCDIR)/docs' && $(INSTALL) -m 0644 $(wildcard docs/*) '$(DESTDIR)$(DOCDIR)/docs/'
	$(Q)$(if $(MANUAL),$(INSTALL) -d '$(DESTDIR)$(MANDIR)/man1' && $(INSTALL) -m 0644 $(MANUAL) '$(DESTDIR)$(MANDIR)/man1/',:)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@PLUGINDIR@|$(PLUGINDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' contrib/virt-ferry-plugin.pc.in >$(B)/virt-ferry-plugin.pc
	$(Q)$(INSTALL) -m 0644 $(B)/virt-ferry-plugin.pc '$(DESTDIR)$(PKGCONFIGDIR)/'

clean:
	$(Q)rm -rf $(BUILD)

help:
	@echo 'make                 virt-ferry and its plugins, in build/release'
	@echo 'make debug | asan    with fault points, without optimisation; with sanitizers too'
	@echo 'make unit            the unit tests (MODE=debug, MODE=asan; VG=1 under valgrind)'
	@echo 'make check           installs what is needed, builds, runs all tests'
	@echo 'make fuzz            facts, domain XML, copies, heads and maps of images, 60 s each (FUZZ_SECONDS=): libFuzzer, or gcc and a driver'
	@echo 'make demo            installs what is needed, then shows three migrations'
	@echo 'make readme-picture  docs/picture.svg anew, from a real move'
	@echo 'make matrix          every kind of storage by every transport, moved there and back: a table'
	@echo 'make faults          N=$(N) faults in the middle of real moves, dealt from SEED=$(SEED): a table'
	@echo 'make faults-compare  those under which virsh runs a guest twice: virsh and virt-ferry, five times each'
	@echo 'make bench           virt-ferry against virsh, eight disks against one, relocations: medians, and where the time goes'
	@echo 'make bench-plan      the planner alone: 10,000 domains x 20 hosts'
	@echo 'make bench-copy      images copied by virt-ferry and by other tools, to files, NFS and RBD: medians'
	@echo 'make lint            clang-format, clang-tidy, cppcheck, shellcheck'
	@echo 'make install         DESTDIR=, PREFIX=$(PREFIX)'

-include $(patsubst %.o,%.d,$(call objects,$(CORE_SOURCES) $(MAIN_SOURCE) $(UNIT_ALL) $(wildcard plugins/*/*.c plugins/*/*/*.c tests/fuzz/*.c \
	tests/bench/*.c)))
