# Thin targets; the build itself is Meson's. Each first installs what is missing (tools/setup.sh).
PYTHON ?= /usr/bin/python3
MESON  ?= /usr/bin/meson

.PHONY: all setup setup-check demo check fuzz bench format clean

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

format: setup-check
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i

clean:
	rm -rf build build-*
