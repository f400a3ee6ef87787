# Thin targets; the build itself is Meson's. Each first installs what is missing (tools/setup.sh).
PYTHON ?= /usr/bin/python3
MESON  ?= /usr/bin/meson

.PHONY: all setup setup-check demo check fuzz bench bench-slow bench-growth format clean

all: build/build.ninja
	$(MESON) compile -C build programs

build/build.ninja: | setup
	$(MESON) setup build

setup:
	@tools/setup.sh

setup-check:
	@tools/setup.sh check

demo: all
	@$(PYTHON) tools/demo.py --aloft build/aloft $(if $(KEEP),--keep)

check: setup-check
	@tools/check.sh

# The fuzz targets, five minutes each.
fuzz: setup-check
	@tools/fuzz.sh
	@tools/fuzz_coverage.sh

# Against nginx and against an earlier build: BASE is a revision or an executable, empty for none.
# BENCH takes options of the programs in tests/bench (each has --help).
BASE  ?= 173d6a8
BENCH ?=

bench: all
	@tools/setup.sh bench
	@base=$(if $(BASE),$$(tools/build_revision.sh '$(BASE)')) && \
		$(PYTHON) tests/bench/bench.py --aloft build/aloft $${base:+--base "$$base"} $(BENCH)

# 50,000 slow downloads at once, then some over TLS.
N     ?= 50000
N_TLS ?= 3000

bench-slow: all
	@tools/setup.sh bench
	@$(MESON) compile -C build slow_client
	@for mode in '-n $(N)' '-n $(N_TLS) --tls'; do \
		$(PYTHON) tests/bench/slow.py --aloft build/aloft --client build/tests/slow_client $$mode $(BENCH) || exit 1; \
	done

# A version check among a million devices, against a hundred.
bench-growth: all
	@tools/setup.sh bench
	@$(MESON) compile -C build wire_tool
	@$(PYTHON) tests/bench/growth.py --wire-tool build/tests/wire_tool $(BENCH)

format: setup-check
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i

clean:
	rm -rf build build-*
