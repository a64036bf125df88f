# Every target is a thin call: the work is in tenantry/, tests/ and bench/. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# A virtual environment of somebody else's, or modules on PYTHONPATH, would shadow the locked ones.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

RUNTIME := .venv/.runtime
DEV := .venv/.dev
NODE := node_modules/.package-lock.json

##@ Start here
.PHONY: help demo serve test
help: ## list every target
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME) $(NODE) ## set up, write dist/, train, serve every tenant here, ask each a real question
	@tenantry demo

serve: $(RUNTIME) $(NODE) ## the same, but leave the tenants running until Ctrl-C
	@tenantry serve

test: lint types unit ## lint, types, unit and snapshot tests; needs no cluster

##@ Write
.PHONY: synth snap
synth: $(RUNTIME) $(NODE) ## write dist/ from platform.yaml
	@cdk8s synth

snap: $(DEV) $(NODE) ## accept what changed: dist/ and the constructs' snapshots
	@tenantry synth
	@pytest -q tests/unit tests/snapshot --snapshot-update

##@ Check
.PHONY: lint types unit
lint: $(DEV) ## ruff, codespell
	@ruff check .
	@ruff format --check .
	@codespell

types: $(DEV) ## mypy, strict
	@mypy

unit: $(DEV) $(NODE) ## unit and snapshot tests
	@pytest

##@ Set up
.PHONY: install lock clean
install: $(DEV) $(NODE) ## everything that make test needs

lock: $(DEV) ## write the locks anew from pyproject.toml and package.json
	@tools/lock

clean: ## remove what make made, but the locks and dist/
	rm -rf .venv node_modules build

.venv/bin/python:
	@echo "setting up .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tenantry needs Python 3.11 or newer; say which with: make PYTHON=python3.12 " + "demo")'
	@$(PYTHON) -m venv .venv

$(RUNTIME): requirements.lock pyproject.toml setup.py | .venv/bin/python
	@echo "installing what requirements.lock names (a minute or two, once)"
	@pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	@pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "installing what requirements-dev.lock names (a minute, once)"
	@pip install --disable-pip-version-check --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(NODE): package.json package-lock.json | $(RUNTIME)
	@echo "installing what package-lock.json names: the cdk8s CLI and the corpus"
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@
