# Every target sets up what it needs in .venv: a fresh Debian with python3, venv and make will do.
.DELETE_ON_ERROR:
.PHONY: run test quick soak coverage lint types check bench lock clean help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' $(MAKEFILE_LIST)

$(VENV)/run.stamp: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $@

run: $(VENV)/run.stamp  ## serve a generated season on http://127.0.0.1:8000/
	$(BIN)/jvgate serve $(if $(PORT),--port $(PORT))

test: $(VENV)/dev.stamp lint types check  ## lint, types and tests: what must pass

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

check: $(VENV)/dev.stamp
	$(PYTEST) -m "not soak"

quick: $(VENV)/dev.stamp  ## the tests that start no process: under a minute, while you work
	$(PYTEST) -m "not soak and not process"

soak: $(VENV)/dev.stamp  ## long runs: many faults, much data
	$(PYTEST) -m soak

coverage: $(VENV)/dev.stamp  ## the tests that start no process, with the coverage of each module
	$(PYTEST) -m "not soak and not process" --cov --cov-report=term

bench: $(VENV)/dev.stamp  ## the figures of benchmarks/, as ratios against a reference in the same run
	$(BIN)/python -m benchmarks

lock:  ## write requirements.lock anew from the versions in .venv
	$(BIN)/python -m pip freeze --exclude-editable --disable-pip-version-check | grep -v '^-e' > requirements.lock

clean:  ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
