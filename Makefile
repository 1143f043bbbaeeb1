# Start here:
#   make dev           development environment in .venv: editable install, build and test tools
#   make check         linters and unit tests, without torch, apt packages or an emulator (90 s on 2 cores)
#   make t TEST=tests/engine/test_inputs.py
#                      compiles the C++ files that changed and runs one test file
#   make demo          real text through the engine
#   make test          the full proof: lint, native tests, Python tests, parity with PyTorch, ARM under emulation
#
# Parts of `make test`:
#   make lint          formats, ruff, mypy, workflows; installs neither torch nor compilers
#   make test-native   native tests, x86 and 32-bit ARM under emulation
#   make test-python   every Python test, parity with PyTorch included
#   make test-js       the npm package: WebAssembly modules, tests in Node and Chromium
#   make test-arm      the cross-built wheel under emulation as four 64-bit ARM processors
#   make docs          the documentation, into build/docs; warnings are errors
#
# Others:
#   make sanitize      native tests under ASan, UBSan and TSan
#   make tidy          clang-tidy
#   make java          the Java package, into build/java, and its tests, which are also part of make test-python
#   make android       checks all sources with clang for Android, without an NDK (3 minutes)
#   make test-avx512   AVX-512 kernels in an emulated PC, for a processor that has none (6 minutes)
#   make cross         for Linux with musl, Windows, macOS and iOS; runs what runs here (up to an hour; needs wine)
#   make test-integrations
#                      the recipes of docs/integrations.md with the newest versions of the libraries
#   make speed         timing tests; make bench: every kernel; make peers, make paper: against other engines. All of
#                      them need a quiet machine.
#   make test-scale    Ray and Spark on local clusters (needs Java 17; 4 minutes)
#   make serving       `mbrt serve` against a FastAPI server, on a quiet machine; make soak: 30 minutes of mixed load, and
#                      10,000 requests made from its OpenAPI document
#   make bench-js      the npm package against ONNX Runtime Web and transformers.js, on a quiet machine
#   make wheels        wheels of the last commit for every CPython found, into dist; make dist: every package;
#                      make dist-check: built twice, the same bytes
#   make test-wheel WHEEL=dist/... PYTHON=python3.10 NUMPY='numpy==1.24.*'
#                      tests of an installed wheel
#   make clean         removes build, dist and .venv
#
# Files outside the tree: one cache folder ($MBRT_CACHE, else ~/.cache/mobilebert_rt) for third-party wheels and the
# emulated ARM system.

PYTHON ?= python3
BIN := .venv/bin
STAMPS := build/stamps
TORCH := torch==2.13.0
JOBS ?= 2
# Build and test tools of the virtual environment go first: importing the package runs cmake.
export PATH := $(CURDIR)/$(BIN):$(PATH)

PYTEST := $(BIN)/python -m pytest -q
# A module's tests stay in one process, which makes its fixtures once.
PARALLEL := -n $(JOBS) --dist loadscope
STEP := scripts/step.sh
RELEASE := $(BIN)/python -m scripts.packages.release
# Not part of `make test`: these need a quiet machine, or large libraries.
JOBS_OF_THEIR_OWN := integrations scale speed
# A virtual environment of the libraries of docs/integrations.md, on top of .venv.
INTEGRATIONS := build/integrations
# The build folders: one for each architecture, shared by wheels, native tests and tools.
HOST := build/editable
AARCH64 := build/packages/wheel-aarch64
ARMHF := build/armhf-linux-gnu
# Not unit tests: these need torch, apt packages, an emulator, or minutes.
NOT_UNIT := accuracy benchmarks capi default_model docs golden java parity parquet scripts server tools training \
            wasm $(JOBS_OF_THEIR_OWN)

.PHONY: help dev check unit t demo test lint lint-training docs test-native test-python test-js test-arm test-avx512 \
        android java cross test-integrations test-scale sanitize tidy speed bench peers paper bench-js serving soak wheels \
        test-wheel dist dist-check tools clean

help:
	@sed -n '/^PYTHON/q; s/^# \{0,1\}//p' Makefile

$(BIN)/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

$(STAMPS)/lint: $(BIN)/python scripts/requirements-lint.txt
	$(BIN)/python -m pip install --quiet -r scripts/requirements-lint.txt
	@mkdir -p $(STAMPS) && touch $@

# An editable install: Python files are used in place; importing the package compiles the C++ files that changed.
$(STAMPS)/dev: $(BIN)/python pyproject.toml scripts/requirements-lint.txt scripts/requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r scripts/requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[progress]'
	@mkdir -p $(STAMPS) && touch $@

# training is imported in place: its requirements and its command are installed.
$(STAMPS)/test: $(STAMPS)/dev scripts/requirements-test.txt training/pyproject.toml
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet -r scripts/requirements-test.txt
	$(BIN)/python -m pip install --quiet --editable ./training
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/scale: $(STAMPS)/dev scripts/requirements-scale.txt
	$(BIN)/python -m pip install --quiet -r scripts/requirements-scale.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/cross: $(STAMPS)/test scripts/requirements-cross.txt
	$(BIN)/python -m pip install --quiet -r scripts/requirements-cross.txt
	@touch $@

$(STAMPS)/docs: $(STAMPS)/dev docs/requirements.txt
	$(BIN)/python -m pip install --quiet -r docs/requirements.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/integrations: $(STAMPS)/test scripts/requirements-integrations.txt
	$(BIN)/python -m venv --clear $(INTEGRATIONS)
	echo "import site; site.addsitedir('$$(echo $(CURDIR)/.venv/lib/python*/site-packages)')" > \
	    $$(echo $(INTEGRATIONS)/lib/python*/site-packages)/below.pth
	$(INTEGRATIONS)/bin/python -m pip install --quiet -r scripts/requirements-integrations.txt
	@touch $@

dev: $(STAMPS)/dev

check: lint unit

unit: $(STAMPS)/dev
	$(PYTEST) $(PARALLEL) --unit tests $(NOT_UNIT:%=--ignore=tests/%)

t: $(STAMPS)/dev
	$(PYTEST) $(TEST)

demo: $(STAMPS)/dev
	$(BIN)/python examples/demo.py

# One stage after another, since each uses both cores; lint-training fills the gaps of test-native. Not by --jobs: ninja
# refuses make's job server.
test: lint
	$(MAKE) $(STAMPS)/test $(STAMPS)/docs
	$(MAKE) lint-training & types=$$!; $(MAKE) docs test-native; native=$$?; wait $$types && exit $$native
	$(MAKE) test-python
	$(MAKE) test-js
	$(MAKE) test-arm
	@echo "make test: everything passed"

lint: $(STAMPS)/lint
	ruff check .
	ruff format --check .
	$(BIN)/python -m mypy
	git ls-files '*.cc' '*.h' '*.hpp' '*.c' | xargs clang-format --dry-run --Werror
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml

lint-training: $(STAMPS)/test
	cd training && ../$(BIN)/python -m mypy

docs: $(STAMPS)/docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/docs

# Compilers and emulators: installs what apt can, names what is missing.
tools: $(BIN)/python
	$(BIN)/python -m scripts.install_tools

test-native: $(STAMPS)/test tools
	cmake --build $(HOST) --target csrc/all tests/all
	ctest --test-dir $(HOST) --output-on-failure --parallel $(JOBS)
	[ "$$(uname -m)" != x86_64 ] || $(BIN)/python -m scripts.packages.baseline x86_64 $(HOST)
	$(STEP) sh -ec 'scripts/test_preset.sh armhf-linux-gnu; python -m scripts.packages.baseline armhf $(ARMHF)'

# Tests marked `serial` measure time: they run alone.
test-python: $(STAMPS)/test tools
	OMP_NUM_THREADS=1 $(PYTEST) $(PARALLEL) -m "not serial" tests $(JOBS_OF_THEIR_OWN:%=--ignore=tests/%)
	$(PYTEST) -m serial tests $(JOBS_OF_THEIR_OWN:%=--ignore=tests/%) || [ $$? = 5 ]  # 5: there are none

test-js: $(STAMPS)/dev tools
	$(STEP) scripts/test_js.sh

test-arm: $(STAMPS)/test tools
	$(BIN)/python -m tests.golden.make
	$(STEP) sh -ec ' \
	    python -m scripts.packages.release --working-tree; \
	    python -m scripts.packages.baseline aarch64 $(AARCH64); \
	    python -m scripts.arm.run_suite; \
	    python -m benchmarks.arm --check'

sanitize: $(STAMPS)/test tools
	scripts/test_preset.sh asan-ubsan tsan

tidy: $(STAMPS)/test tools
	scripts/tidy.sh

android: $(STAMPS)/dev tools
	$(STEP) $(BIN)/python -m scripts.android_syntax

java: $(STAMPS)/dev tools
	$(PYTEST) tests/java

test-avx512: $(STAMPS)/test
	$(BIN)/python -m scripts.x86.run_suite

cross: $(STAMPS)/cross tools
	$(STEP) scripts/cross.sh

test-integrations: $(STAMPS)/integrations
	$(INTEGRATIONS)/bin/python -m pytest -q tests/integrations
	$(INTEGRATIONS)/bin/python -m tests.integrations.versions

test-scale: $(STAMPS)/scale
	$(PYTEST) --durations=5 tests/scale

speed: $(STAMPS)/test
	$(PYTEST) -s tests/speed

bench: $(STAMPS)/test
	$(BIN)/python -m pytest benchmarks/micro -q --benchmark-only

# An hour of a quiet machine; the results go to docs/results.md.
peers: $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet "matplotlib>=3.8"
	$(BIN)/python benchmarks/peers --docs

paper: $(STAMPS)/test
	$(BIN)/python -m pip install --quiet "matplotlib>=3.8"
	$(BIN)/python benchmarks/paper --docs

bench-js: $(STAMPS)/test
	$(BIN)/python -m benchmarks.javascript

serving: $(STAMPS)/test
	$(BIN)/python -m pip install --quiet "fastapi>=0.115"
	$(BIN)/python -m benchmarks.serving

soak: $(STAMPS)/test
	$(BIN)/python -m tests.server.fuzz
	$(BIN)/python -m tests.server.soak

wheels: $(STAMPS)/cross tools
	$(RELEASE) $(PYTHONS:%=--python %) wheel-x86_64 wheel-aarch64 wheel-x86_64-musl wheel-aarch64-musl

test-wheel:
	scripts/test_wheel.sh $(WHEEL) $(PYTHON) $(if $(NUMPY),'$(NUMPY)')

dist: $(STAMPS)/cross tools
	$(RELEASE) $(PYTHONS:%=--python %)

dist-check: $(STAMPS)/cross tools
	$(RELEASE) --check $(PYTHONS:%=--python %)

clean:
	rm -rf build dist .venv
