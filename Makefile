# make dev    development environment in .venv: editable install, build tools, test tools
# make demo   build, install into .venv, and run real text through the engine
# make test   native tests, parity with PyTorch, lint, the Python suite, ARM under emulation
#
# And, not part of `make test`:  make bench (every kernel), make speed (against ONNX Runtime; wants a quiet machine),
# make peers and make paper (against every engine, and the paper's tables), make test-avx512 (its kernels in an emulated
# PC, six minutes, for a processor that has none), make sanitize (the native tests under ASan, UBSan and TSan), make tidy
# (clang-tidy), make wheels and make dist (packages of the last commit, into dist), make dist-check (each of them twice:
# the same bytes?)
#
# Nothing outside the tree is touched but one cache folder ($MBRT_CACHE, else ~/.cache/mobilebert_rt), where third-party
# wheels and the emulated ARM system are kept between runs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := build/stamps
TORCH := torch==2.13.0
PYTEST := $(BIN)/python -m pytest -q
# The parity tests leave files here that every other processor must reproduce bit for bit.
export MBRT_GOLDEN := $(CURDIR)/build/golden

# The build tools of the virtual environment go first: importing the package runs cmake.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: dev demo test lint tidy test-native test-python test-parity test-arm test-avx512 sanitize speed bench peers paper wheels dist dist-check tools clean help

help:
	@sed -n '1,13s/^# \{0,1\}//p' Makefile

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# An editable install: Python files are used where they lie, importing the package compiles the C++ files that changed.
$(STAMPS)/install: $(BIN)/python pyproject.toml scripts/requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r scripts/requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable '.[progress]'
	@mkdir -p $(STAMPS) && touch $@

# training, unlike the engine, is imported where it lies: only its requirements and its command are installed.
$(STAMPS)/test-requirements: $(STAMPS)/install scripts/requirements-test.txt training/pyproject.toml
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet -r scripts/requirements-test.txt
	$(BIN)/python -m pip install --quiet --editable ./training
	@mkdir -p $(STAMPS) && touch $@

dev: $(STAMPS)/install

demo: $(STAMPS)/install
	$(BIN)/python examples/demo.py

# Compilers and emulators that the tests need beyond g++ and Python; installs what apt can, names what it cannot.
tools:
	scripts/install_tools.sh

# The last three take one core each, and none writes where another does: two beside each other, printed when they are done.
test: test-native test-parity
	$(MAKE) --jobs=2 --output-sync=target test-arm lint test-python
	@echo "make test: everything passed"

lint: $(STAMPS)/install $(STAMPS)/test-requirements tools
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	cd training && ../$(BIN)/python -m mypy
	$(BIN)/python -m mypy --strict scripts/packages/*.py
	scripts/lint_native.sh

tidy: $(STAMPS)/install $(STAMPS)/test-requirements tools
	scripts/tidy.sh

test-native: $(STAMPS)/install $(STAMPS)/test-requirements tools
	scripts/test_native.sh release armhf-linux-gnu

# Names what it needs beyond these, so that nobody installs an emulator for nothing.
test-avx512: $(STAMPS)/install $(STAMPS)/test-requirements
	$(BIN)/python scripts/x86/run_suite.py

sanitize: $(STAMPS)/install $(STAMPS)/test-requirements tools
	scripts/test_native.sh asan-ubsan tsan

test-python: $(STAMPS)/install $(STAMPS)/test-requirements
	$(PYTEST) tests --ignore=tests/parity --ignore=tests/speed --ignore=tests/arm/test_emulated_processor.py

test-parity: $(STAMPS)/install $(STAMPS)/test-requirements
	$(PYTEST) tests/parity

test-arm: $(STAMPS)/install $(STAMPS)/test-requirements tools
	scripts/arm/test.sh

speed: $(STAMPS)/install $(STAMPS)/test-requirements
	$(PYTEST) -s tests/speed

bench: $(STAMPS)/install $(STAMPS)/test-requirements
	$(BIN)/python -m pytest benchmarks/micro -q --benchmark-only

# Against other engines, and the paper's tables: an hour of a quiet machine; the results go to docs/results.md.
peers: $(STAMPS)/install
	$(BIN)/python benchmarks/peers --docs

paper: $(STAMPS)/install
	$(BIN)/python benchmarks/paper --docs

PACKAGES := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/packages

wheels: $(STAMPS)/install $(STAMPS)/test-requirements tools
	$(PACKAGES)/wheels.py

dist: $(STAMPS)/install $(STAMPS)/test-requirements tools
	$(PACKAGES)/release.py

dist-check: $(STAMPS)/install $(STAMPS)/test-requirements tools
	$(PACKAGES)/release.py --check

clean:
	rm -rf build dist $(VENV)
