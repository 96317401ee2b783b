# switchroom: everything a developer does, from a bare Python >= 3.11 and make.
#
#   make demo     the router at work, in this terminal, without any account or service
#   make test     everything that must hold before a change goes in
#   make help     the rest
#
# The first target that needs it makes .venv from requirements/dev.txt (locked by hash); a stamp
# file remembers that, so the second run does no set-up. PYTHON=... chooses the interpreter.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
COMPILED_VENV ?= .venv-compiled
PACKAGES := $(wildcard switchroom.py router simulation streams configs)
CHECKED := $(wildcard $(PACKAGES) tests benchmarks setup.py)
WORKERS ?= 2
DEMO_FLAGS ?=
LOCK_FLAGS ?=
SEEDS ?= 200
FIRST_SEED ?= 1000
SOAK_MINUTES ?= 30
KAFKA_PORT ?= 9092
EVENTS ?= 10000000

# Nothing here depends on what a caller's environment says about Python.
unexport PYTHONPATH PYTHONHOME PYTHONOPTIMIZE SWITCHROOM_COMPILE
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test lint format types imports unit parity rules seeds nightly validate bench soak journals compiled builds \
	installed kafka kafka-test bench-kafka kafka-soak lock clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

# --- set-up -------------------------------------------------------------------------------------

# The first interpreter that starts, is new enough and can make a virtual environment.
define FIND_PYTHON
for candidate in "$${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3 python; do \
	[ -n "$$candidate" ] || continue; \
	if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
		>/dev/null 2>&1; then python=$$candidate; break; fi; \
done; \
if [ -z "$${python:-}" ]; then \
	echo "make: no Python >= 3.11 with venv and ensurepip was found." >&2; \
	echo "      Looked for: python3.11 python3.12 python3.13 python3.14 python3 python." >&2; \
	echo "      Install one (Debian: apt install python3 python3-venv) or say" >&2; \
	echo "      make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; \
	exit 1; \
fi
endef

# A .venv that works is brought up to date, one that does not is made anew.
$(STAMP): requirements/dev.txt pyproject.toml setup.py
	@rm -f $@; \
	if ! $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then \
		$(FIND_PYTHON); \
		echo "set-up: $(VENV) with $$("$$python" --version) (once; about a minute)"; \
		"$$python" -m venv --clear $(VENV); \
	fi; \
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: \
		-r requirements/dev.txt; \
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .; \
	$(BIN)/python -m compileall -q $(PACKAGES); \
	touch $@

# --- what a user tries --------------------------------------------------------------------------

setup: $(STAMP) ## .venv with everything in it, nothing started

demo: $(STAMP) ## the router at work, in this terminal
	@$(BIN)/switchroom demo $(DEMO_FLAGS)

# --- what must hold -----------------------------------------------------------------------------

test: $(STAMP) ## lint, types, imports, every quick test, and the compiled core against the pure one
	@bash requirements/system.sh
	@$(MAKE) --no-print-directory lint types imports compiled unit

lint: $(STAMP) ## style: ruff, its formatter
	@echo "== lint"
	@$(BIN)/ruff check $(CHECKED)
	@$(BIN)/ruff format --check $(CHECKED)

format: $(STAMP) ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix $(CHECKED)
	@$(BIN)/ruff format $(CHECKED)

types: $(STAMP) ## mypy --strict
	@echo "== types"
	@$(BIN)/mypy $(CHECKED)

imports: $(STAMP) ## who may import whom
	@echo "== imports"
	@$(BIN)/lint-imports

unit: $(STAMP) ## the quick tests, all of them
	@echo "== tests"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not nightly" tests

parity: $(STAMP) ## one journal, several drivers, one digest
	@$(BIN)/python -m pytest $(wildcard tests/test_parity.py tests/test_journals.py)

kafka: $(STAMP) ## a real Kafka broker on port KAFKA_PORT, until Ctrl-C; needs Java 17 and Maven
	@$(BIN)/python -m tests.kafka.broker --port $(KAFKA_PORT)

kafka-test: $(STAMP) ## the tests on a real Kafka only; `make test` runs them too
	@$(BIN)/python -m pytest tests/kafka

rules: $(STAMP) ## the sample centre's alert rules: made anew, compared, tested by promtool (half a minute)
	@$(BIN)/switchroom rules configs/sample -o configs/prometheus --check --test

journals: $(STAMP) ## replay every recorded journal
	@$(BIN)/python -m pytest tests/test_journals.py

seeds: $(STAMP) ## simulate SEEDS seeds from FIRST_SEED on, under the auditor
	@$(BIN)/python -m pytest -n $(WORKERS) -m seeds --seeds $(SEEDS) --first-seed $(FIRST_SEED) tests

nightly: $(STAMP) ## the tests that are too long for `make test`
	@$(BIN)/python -m pytest -n $(WORKERS) -m nightly tests

validate: compiled ## every number of known truth through the planner, a night long; appends to a ledger
	@kept=$(CURDIR)/.cache/validation-$$(git rev-parse --short HEAD).jsonl; \
	cd .cache/compiled/check 2>/dev/null && python=$(CURDIR)/$(COMPILED_VENV)/bin/python || python=$(BIN)/python; \
	PYTHONPATH=. nice $$python -P -m tests.validation --keep $$kept \
		--ledger $(CURDIR)/benchmarks/validation-ledger.md
	@$(BIN)/python -m tests.validation.ahead

bench: $(STAMP) ## what is measured, against whom
	@$(BIN)/python -m benchmarks

bench-kafka: $(STAMP) ## the worker on a real Kafka, beside a bare loop; needs Java 17 and Maven
	@$(BIN)/python -m benchmarks.kafka

kafka-soak: $(STAMP) ## kills, zombies, dead brokers through a long day, under the auditor; about 15 minutes
	@$(BIN)/python -m tests.kafka.soak --ledger benchmarks/ledger.md

soak: $(STAMP) ## SOAK_MINUTES of seeds nobody has seen; stops at the first that fails
	@first=$$(( $$(date +%s) % 1000000 * 1000 )); last=$$(( SECONDS + $(SOAK_MINUTES) * 60 )); \
	while [ $$SECONDS -lt $$last ]; do \
		$(BIN)/python -m pytest -q -n $(WORKERS) -m seeds --seeds $(SEEDS) --first-seed $$first tests; \
		first=$$(( first + $(SEEDS) )); \
	done

# --- the compiled core --------------------------------------------------------------------------

compiled: $(STAMP) ## compile the core and the planner (mypyc) in their own environment; same digests there?
	@echo "== compiled core"
	@COMPILED_VENV=$(COMPILED_VENV) VENV=$(VENV) bash requirements/compiled.sh

builds: compiled ## both builds decide alike? EVENTS events of the sample centre's days; appends to a ledger
	@$(BIN)/python -m benchmarks.builds --events $(EVENTS) --ledger

# --- housekeeping -------------------------------------------------------------------------------

lock: $(STAMP) ## resolve pyproject.toml again into requirements/*.txt; LOCK_FLAGS=--upgrade for newer versions
	@bash requirements/lock.sh $(LOCK_FLAGS)

clean: ## remove what was built here (environments, caches)
	@rm -rf $(VENV) $(COMPILED_VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache build dist *.egg-info
	@find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +
