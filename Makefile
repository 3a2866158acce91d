# `make demo` sends a fax to a station in the same process; `make test` proves the engine. Both do all set-up.

PYTHON ?= python3
BIN := .venv/bin
SETUP := PYTHON=$(PYTHON) sh scripts/setup.sh
PYTEST := $(BIN)/python -m pytest -n 2
BENCH_PARTS := $(addprefix benchmarks/,__init__.py pages.py impairments.py engines.py cells.py make_%)
BENCHMARKS := $(filter-out $(BENCH_PARTS),$(wildcard benchmarks/*.py))

.PHONY: help demo test test-long build bench sanitize clean

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):  *## /\1\t/p' Makefile | expand -t 12

demo:  ## send the sample document over a simulated line; the result is received.pdf
	@$(SETUP) run
	@$(BIN)/faxcore send faxcore/cli/sample.pdf --output received.pdf

test:  ## style, types, and every test but the long ones
	@$(SETUP) test
	@$(SETUP) peers
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

test-long:  ## every test
	@$(SETUP) test
	@$(SETUP) peers
	$(PYTEST) -m "long or not long"

build:  ## build the kernels from the sources that lie here
	@$(SETUP) run

bench:  ## our figures beside those of other engines, from one run
	@$(SETUP) test
	@$(SETUP) peers
	@set -e; for each in $(BENCHMARKS); do echo "== $$each"; PYTHONPATH=. $(BIN)/python $$each; done

sanitize:  ## the kernels under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(SETUP) test
	@PYTHON=$(CURDIR)/$(BIN)/python sh scripts/sanitize.sh

clean:  ## remove what was built, and .venv
	rm -rf .venv build dist received.pdf faxcore.egg-info faxcore/kernels/_native*.so
	find faxcore tests -name __pycache__ -prune -exec rm -rf {} +
