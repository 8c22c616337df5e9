# The front door. Everything behind it is CMake (CMakePresets.json) and scripts/.
#   make demo [DEMO_SECONDS=20]     make test [ARGS='-R name']     make install DESTDIR=…
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON := /usr/bin/python3
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 300
export CMAKE_BUILD_PARALLEL_LEVEL = $(JOBS)
export CCACHE_BASEDIR = $(CURDIR)
export CCACHE_NOHASHDIR = 1

.PHONY: help build demo test test-conformance torture evidence bench fuzz board test-board attack-root demo-board \
	format lint install package-cloud clean deps

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

deps: ## install what a build needs
	@scripts/deps.sh build

build: deps ## build everything into build/release
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release

demo: ## the whole path on this machine, live (needs root or sudo)
	@scripts/deps.sh demo
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --target programs
	@$(if $(filter 0,$(shell id -u)),,sudo --preserve-env=DEMO_SECONDS,MITRAL_BINARY_DIR) env \
		MITRAL_BINARY_DIR=$(CURDIR)/build/release $(if $(DEMO_SECONDS),DEMO_SECONDS=$(DEMO_SECONDS)) \
		$(PYTHON) scripts/demo/demo.py

test: ## everything, or a part: ARGS='-R name' goes to ctest
	@scripts/deps.sh test
	@$(PYTHON) scripts/test.py --jobs $(JOBS) -- $(ARGS)

test-conformance: ## the part where other people's clients meet Mitral (needs root or sudo)
	@scripts/deps.sh test
	@$(PYTHON) scripts/test.py --jobs $(JOBS) -- -L '^conformance$$' $(ARGS)

torture: ## every fail-point × every fault (needs root or sudo): ARGS='--seed 7 --only group.sync:kill'
	@scripts/deps.sh test
	@cmake --preset torture --log-level=WARNING
	@cmake --build --preset torture --target programs errorfs
	@$(if $(filter 0,$(shell id -u)),,sudo) $(PYTHON) tests/torture/torture.py $(ARGS)

evidence: ## the matrix id × tests × verdict of the last test run
	@$(PYTHON) scripts/evidence.py

bench: ## measure against the bars (needs root or sudo): ARGS='--only cpu-256 --rounds 2'
	@scripts/deps.sh test
	@$(if $(filter 0,$(shell id -u)),,sudo) $(PYTHON) scripts/bench.py -- $(ARGS)

fuzz: ## every fuzzer for FUZZ_SECONDS (300) each
	@scripts/deps.sh test
	@MITRAL_FUZZ_SECONDS=$(FUZZ_SECONDS) MITRAL_FUZZ_SEED=0 $(PYTHON) scripts/test.py --only fuzz --jobs $(JOBS) -- $(ARGS)

board: ## the image of a board: BOARD=qemu (firmware to root file system, build/board) or stm32mp257; FLAVOUR=production
	@scripts/deps.sh board
	@$(PYTHON) scripts/board/build.py --jobs $(JOBS) $(if $(BOARD),--board $(BOARD)) $(if $(FLAVOUR),--flavour $(FLAVOUR))

ifeq ($(FLAVOUR),production)
test-board: ## FLAVOUR=production: an image with keys for trials, and a unit of it between line and ward (needs root)
	@scripts/deps.sh board demo
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --target programs
	@$(PYTHON) scripts/board/build.py --jobs $(JOBS)
	@$(PYTHON) tests/board/trial_production.py
	@$(PYTHON) tests/board/board_production.py $(ARGS)
else ifeq ($(BOARD),stm32mp257)
test-board: board
	@$(PYTHON) tests/board/board_porting.py $(ARGS)
else
test-board: ## start the image of the board in QEMU and break its chain of trust link by link
	@scripts/deps.sh test
	@scripts/deps.sh board
	@$(PYTHON) scripts/test.py --only board-tests --jobs $(JOBS) -- $(ARGS)
endif

attack-root: board ## root on a unit in QEMU against its trust zone and its verifier (docs/attack-root.md)
	@scripts/deps.sh test
	@cmake --preset board-tests --log-level=WARNING
	@cmake --build --preset board-tests --target canary_station mitral
	@MITRAL_BINARY_DIR=$(CURDIR)/build/board-tests $(PYTHON) tests/board/board_attack.py $(ARGS)

demo-board: board ## the demo with its gateway on the board, in QEMU (needs root or sudo)
	@scripts/deps.sh demo
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --target programs
	@$(if $(filter 0,$(shell id -u)),,sudo --preserve-env=DEMO_SECONDS,MITRAL_BINARY_DIR) env \
		MITRAL_BINARY_DIR=$(CURDIR)/build/release $(if $(DEMO_SECONDS),DEMO_SECONDS=$(DEMO_SECONDS)) \
		$(PYTHON) scripts/board/demo_board.py

format: ## bring every source file into the house style
	@scripts/deps.sh lint
	@scripts/lint.sh format

lint: ## style, clang-tidy, shellcheck
	@scripts/deps.sh lint
	@scripts/lint.sh check

install: deps ## programs, units, man pages and roots: PREFIX, DESTDIR, PRODUCTION=1
	@cmake --preset $(if $(PRODUCTION),production,release) -B build/install --log-level=WARNING \
		-DCMAKE_INSTALL_PREFIX=$(PREFIX)
	@cmake --build build/install --target programs
	@DESTDIR=$(DESTDIR) cmake --install build/install

package-cloud: deps ## the local Azure alone, as a Debian package in build/release/package
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --target package-cloud

clean: ## remove every build
	@rm -rf build
