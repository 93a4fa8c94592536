# A fresh machine needs git, Python 3.11 with venv, and make. Everything else is fetched into .venv and node_modules.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
WORKERS ?= 2
ACCOUNTS ?= 5
# The gates read the settings but start nothing, so they need no secrets.
GATE := DEBUG=true
SEMGREP := PATH="$(abspath $(BIN)):$$PATH" semgrep scan --metrics=off --disable-version-check

APP_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
NODE_STAMP := node_modules/.installed
DIST_STAMP := static/dist/.built
PAGE_SOURCES := $(shell find static templates -type f -not -path 'static/dist/*' 2>/dev/null)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: $(APP_STAMP) $(DIST_STAMP) ## start everything with a demo; Ctrl-C stops it
	@exec $(BIN)/python manage.py up --demo --accounts $(ACCOUNTS)

.PHONY: test
test: check pytest ## everything that must be green

.PHONY: check
check: lint sizes imports types semgrep migrations ## every gate short of the tests

.PHONY: pytest
pytest: $(DEV_STAMP) $(DIST_STAMP) browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not faults and not streams"

.PHONY: chaos
chaos: $(DEV_STAMP) $(DIST_STAMP) ## the tests that kill processes
	$(BIN)/python -m pytest -m faults -p no:randomly

.PHONY: streams
streams: $(DEV_STAMP) $(DIST_STAMP) ## long streams of alerts, ten thousand broken bodies, 400 stories against a model broker
	$(BIN)/python -m pytest tests/streams tests/model/test_machine.py -p no:randomly

.PHONY: lint
lint: $(DEV_STAMP) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(DEV_STAMP) ## mypy
	$(GATE) $(BIN)/mypy

.PHONY: imports
imports: $(DEV_STAMP) ## the tower: imports point down only
	$(BIN)/lint-imports

.PHONY: sizes
sizes: $(DEV_STAMP) ## file and function lengths
	$(BIN)/python tools/sizes.py

.PHONY: semgrep
semgrep: $(DEV_STAMP) ## house rules, and that each rule finds what it should
	$(SEMGREP) --quiet --test --config tools/semgrep tools/semgrep
	$(SEMGREP) --quiet --config tools/semgrep/rules.yml --exclude tools/semgrep --error .

.PHONY: migrations
migrations: $(DEV_STAMP) ## models and migrations agree
	$(BIN)/python manage.py embedded -- $(BIN)/python manage.py makemigrations --check --dry-run

.PHONY: format
format: $(DEV_STAMP) ## ruff, writing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(APP_STAMP) $(DIST_STAMP) ## measure, print a table, write var/bench.json
	$(BIN)/python -m bench

.PHONY: shots
shots: $(DEV_STAMP) $(DIST_STAMP) browser ## screenshots of every page into docs/screenshots
	$(BIN)/python tools/shots.py

.PHONY: pages
pages: $(DIST_STAMP) ## build what the browser gets

.PHONY: browser
browser: $(DEV_STAMP)
	@$(BIN)/python tools/browser.py

.PHONY: lock
lock: ## resolve requirements*.in into requirements*.txt
	PYTHON=$(PYTHON) tools/lock

.PHONY: clean
clean: ## remove everything built, but not var/: it holds data and keys
	rm -rf $(VENV) node_modules static/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(APP_STAMP): requirements.txt | $(BIN)/python
	$(PIP) install -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt requirements-clients.txt $(APP_STAMP)
	$(PIP) install -r requirements-dev.txt
	$(PIP) install --no-deps -r requirements-clients.txt
	@touch $@

$(NODE_STAMP): package-lock.json $(APP_STAMP)
	tools/npm ci --no-audit --no-fund
	@touch $@

$(DIST_STAMP): $(NODE_STAMP) package.json $(PAGE_SOURCES)
	tools/npm run build
	@touch $@
