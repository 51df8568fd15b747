# The two commands of the README are `make demo` and `make test`. Each sets up what it needs.
# Needs: Python 3.11 with venv, make, git, and the package registries.

PYTHON  ?= $(shell command -v python3.11 || command -v python3)
BIN     := .venv/bin
# Sources of the built front end and the message catalogues: when one changes, setup runs again.
BUILT   := $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null) \
           $(shell find src -name '*.po' 2>/dev/null) hatch_build.py pyproject.toml
JOBS    ?= 2

.PHONY: setup demo test lint types imports unit unit-sqlite unit-postgresql chromium libreoffice messages bench fault walk leaks journeys upgrade pictures lock clean

setup: .stamps/installed

.stamps/packages: requirements/bootstrap.txt requirements/dev.txt
	@echo "== Installing the pinned packages into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@mkdir -p .stamps && touch $@

.stamps/installed: .stamps/packages $(BUILT)
	@echo "== Building the front end and the catalogues"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --reinstall-package wanjia -e .
	@touch $@

demo: setup
	$(BIN)/wanjia demo

test: setup chromium lint unit

lint: setup imports types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/messages.py --check

imports: setup
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

unit: unit-sqlite unit-postgresql

unit-sqlite: setup
	@echo "== Tests on SQLite"
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

# Page by page the browser looks at one database. Of the journeys the gate runs on PostgreSQL a Monday, a suspect and
# two people at once; `make journeys` runs all of them. What has no database (the kernel, the engines, the log's tree,
# keys, Parquet, the tools), templates, the demo, hostile files and how site and worker are watched run once; the leak
# scan has both in `make leaks`.
ON_BOTH := $(addprefix tests/journeys/,test_monday.py test_a_suspect.py test_at_once.py)
ONCE := browser kernel engine lake tlog protection tools project ui demo leaks hostile/test_departments.py \
        config/test_processes.py $(patsubst tests/%,%,$(filter-out $(ON_BOTH),$(wildcard tests/journeys/test_*.py)))
unit-postgresql: setup
	@echo "== Tests on PostgreSQL"
	$(BIN)/python tests/with_postgres.py $(BIN)/python -m pytest -n $(JOBS) --dist loadfile tests $(ONCE:%=--ignore tests/%) $(PYTEST_ARGS)

# Browser tests need Debian's Chromium; it is installed when that is possible, and said.
chromium:
	@if command -v chromium >/dev/null; then echo "== Chromium: $$(command -v chromium)"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "== Chromium is missing: installing it with apt-get"; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk; \
	else echo "== Chromium is missing and cannot be installed from here (needs root and apt-get)."; \
	  echo "   Install the package chromium, or run: make test PYTEST_ARGS=--waive-browser"; fi

# The exports are opened in Debian's LibreOffice too; it is installed when that is possible, and said.
libreoffice:
	@if command -v soffice >/dev/null; then echo "== LibreOffice: $$(command -v soffice)"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "== LibreOffice is missing: installing it with apt-get"; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends libreoffice-calc-nogui; \
	else echo "== LibreOffice is missing and cannot be installed from here (needs root and apt-get):"; \
	  echo "   its tests are skipped. Install the package libreoffice-calc-nogui."; fi

messages: setup
	$(BIN)/python tools/messages.py

bench: setup
	$(BIN)/python -m bench all

# A county at work in real processes, looked through for every personal number; then a control that hides nothing.
leaks: setup
	$(BIN)/python -m tests.leaks

# Every route before every role, relation and place; foreign numbers and strange strings by the thousand. `fault` has it too.
# On PostgreSQL also every column posted and every transition, which the gate leaves to SQLite.
walk: setup
	@echo "== The whole walk on SQLite"
	$(BIN)/python -m pytest -n $(JOBS) -m long tests/walk $(PYTEST_ARGS)
	@echo "== The whole walk on PostgreSQL"
	$(BIN)/python tests/with_postgres.py $(BIN)/python -m pytest -n $(JOBS) -m long tests/walk $(PYTEST_ARGS)
	$(BIN)/python tests/with_postgres.py $(BIN)/python -m pytest -n $(JOBS) -m one_database tests/walk tests/comparison/test_transitions.py $(PYTEST_ARGS)

# Every journey of a browser on PostgreSQL; the gate has them on SQLite.
journeys: setup chromium
	$(BIN)/python tests/with_postgres.py $(BIN)/python -m pytest -n $(JOBS) --dist loadfile tests/journeys $(PYTEST_ARGS)

# Kills at every point, full disks, two of a kind, and the whole walk: one line for each fault at the end.
fault: setup libreoffice leaks
	$(BIN)/python -m pytest -n $(JOBS) -m fault tests tests/backup/stopped.py $(PYTEST_ARGS)
	$(BIN)/python tests/with_postgres.py $(BIN)/python -m pytest -n $(JOBS) -m fault tests tests/backup/stopped.py $(PYTEST_ARGS)

# Data of an earlier commit opened by this one; needs the history.
upgrade: setup
	$(BIN)/python -m pytest tests/upgrade/upgrade.py $(PYTEST_ARGS)
	$(BIN)/python tests/with_postgres.py $(BIN)/python -m pytest tests/upgrade/upgrade.py $(PYTEST_ARGS)

pictures: setup chromium
	$(BIN)/python tools/pictures.py

# Pin every package again: hashed, and naming no registry.
lock:
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11 requirements/bootstrap.in -o requirements/bootstrap.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml --extra build -o requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml --all-extras -o requirements/dev.txt

clean:
	rm -rf .stamps .venv var dist build
