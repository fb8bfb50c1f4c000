# Needs GNU make and a Python >= 3.11 with venv; everything else is installed into .venv.

VENV  := .venv
BIN   := $(VENV)/bin
UV    := $(BIN)/uv
STAMP := $(VENV)/installed
SCHEMA := workflow/schemas/config.schema.yaml

CORES           ?= all
SNAKEMAKE_FLAGS ?=
RESULTS         ?= results
PYTEST_FLAGS    ?=
LOCK_FLAGS      ?=

# Each candidate is run: a pyenv shim exists for versions that it then refuses to start.
USABLE := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c '$(USABLE)' 2>/dev/null && { command -v $$p; break; }; done)

# Rules and tests start `python` and `nullmode` by name; another tree's modules must not come first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH
unexport PYTHONHOME
# Without .pyc files every job parses the whole package.
unexport PYTHONDONTWRITEBYTECODE

# Without .pyc files every start of snakemake costs more than twice the CPU time.
export UV_COMPILE_BYTECODE := 1
# An interpreter is chosen above or the install fails; uv would download one.
export UV_PYTHON_DOWNLOADS := never
# uv does not read pip's settings: hand on a mirror that was set for pip.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help reproduce reproduce-large test test-all test-jax-torch test-slurm test-browser benchmark scan-benchmark search-benchmark cost-model planning lint ci install docs lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

# Before --cores: a list at the end of SNAKEMAKE_FLAGS, as of --configfile, would take the target in.
SNAKEMAKE = $(BIN)/snakemake --workflow-profile workflow/profiles/default $(CONFIGFILES) $(SNAKEMAKE_FLAGS) --cores $(CORES)
REPORT     = $(RESULTS)/report.html

# A report is made again where anything is newer than it, and stands under its name when it is whole.
define REPRODUCE
$(SNAKEMAKE) all
$(if $(filter -n% --dry-run --dryrun,$(SNAKEMAKE_FLAGS)),,@[ -e "$(REPORT)" ] && \
	[ -z "$$(find "$(RESULTS)" config workflow -type f -newer "$(REPORT)" -print -quit)" ] || { \
	echo "Writing $(REPORT)" && \
	$(SNAKEMAKE) --quiet --report "$(REPORT:.html=.part.html)" \
		--report-stylesheet workflow/report/report.css all && \
	mv "$(REPORT:.html=.part.html)" "$(REPORT)"; })
endef

# RESULTS is what the configuration calls results.
reproduce: install ## Compute every table and figure into results/, and results/report.html (CORES=n for fewer than all cores)
	$(REPRODUCE)

reproduce-large: CONFIGFILES = --configfile config/config.yaml config/large.yaml
reproduce-large: RESULTS = results/large
reproduce-large: install ## The same at full size (config/large.yaml), into results/large
	$(REPRODUCE)

# The cap is for machines with many cores: each worker imports the whole package.
PYTEST = $(BIN)/pytest -n auto --maxprocesses 8 --dist worksteal

test: install ## Run the tests (PYTEST_FLAGS="-k 'not workflow'" leaves out those that start Snakemake)
	$(PYTEST) $(PYTEST_FLAGS)

test-all: install ## Run the slow tests too, laws in every case, and drawn ones with 200 draws
	NULLMODE_DRAWS=200 $(PYTEST) --every-case -m "not slurm and not browser and not jax_torch" $(PYTEST_FLAGS)

# 1.1 GB. The other packages that the two need are in .venv or not imported by these tests. PyPI's torch for Linux
# (x86-64) needs several GB of CUDA libraries: PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL must lead pip to a CPU build.
test-jax-torch: install ## Test automatic differentiation with JAX and torch, installed into .venv/jax-torch
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(VENV)/jax-torch \
		torch==2.13.0 jax jaxlib ml_dtypes opt_einsum
	PYTHONPATH=$(VENV)/jax-torch $(BIN)/pytest -m jax_torch tests/adapters/test_callable.py $(PYTEST_FLAGS)

test-slurm: install ## Run the workflow on a SLURM of one node that is started for it; needs slurm-wlm and munge
	$(BIN)/pytest -m slurm tests/workflow/test_slurm.py $(PYTEST_FLAGS)

test-browser: install ## Open report, views and documentation in Chromium; needs chromium and chromium-driver (BROWSER_SHOTS=folder for pictures)
	$(BIN)/pytest -m browser tests/views $(PYTEST_FLAGS)

benchmark: install ## Time features, Jacobians and spectra beside three other codes and a lower bound, and a sweep
	$(BIN)/python benchmarks/side_by_side.py
	$(BIN)/python benchmarks/sweep.py

scan-benchmark: install ## Stream 7.7 million spectra of methane into a table (SCAN_FLAGS="--n 50000" for fewer)
	$(BIN)/python benchmarks/scan.py $(SCAN_FLAGS)

search-benchmark: install ## Count what searches for singular points, orbits and partners find, and how many Jacobians they need
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/orbits.py
	$(BIN)/python benchmarks/partners.py

cost-model: install ## Compare the estimated with the measured time of what jobs do, in 90 cases
	$(BIN)/python benchmarks/cost_model.py

planning: install ## Time the planning of 10^2 to 10^5 sweep points, and the start of a job
	$(BIN)/python benchmarks/planning.py

lint: install ## Check style, types, import layers and the workflow's form
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/snakefmt --check workflow
	$(BIN)/python .ci/workflow-lint

ci: lint test ## Do what continuous integration does: lint, then test

install: $(STAMP) $(SCHEMA) ## Install the locked packages and nullmode (editable) into .venv, and write the schema of the configuration

# Any warning fails: a broken link, a name in a docstring that is not found, a page that no list of links leads to.
docs: install ## Write the generated pages (keys, columns, commands), then the documentation site into build/site
	$(BIN)/python workflow/schemas/generate.py
	$(BIN)/python docs/make_tables.py
	$(BIN)/python docs/make_command_line.py
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs/site -d build/doctrees . build/site
	@echo "The site is in $(CURDIR)/build/site/index.html"

lock: | $(UV) ## Solve requirements.lock again (LOCK_FLAGS=--upgrade for the newest releases)
	$(UV) pip compile pyproject.toml --group dev --output-file requirements.lock \
		--universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-header --quiet $(LOCK_FLAGS)

clean: ## Remove results/ and nothing else
	rm -rf results

# Each stamp goes first and comes last, so that a failed install is tried again.
$(STAMP): pyproject.toml $(VENV)/locked
	@rm -f $@
	@$(UV) pip install --python $(BIN)/python --dry-run --offline --no-cache --quiet \
		--group dev --requirements pyproject.toml || { \
		echo "requirements.lock does not hold what pyproject.toml asks for: run make lock." >&2; exit 1; }
	@echo "Installing nullmode, editable, into $(VENV)"
	$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# For editors: config/test.yaml names it. Not in the repository, since all of it follows from the code.
$(SCHEMA): workflow/schemas/generate.py $(STAMP) $(shell find src/nullmode -name '*.py')
	@echo "Writing $@"
	@$(BIN)/python $< schema

# The lock also constrains what builds connection-pool, the one package without a wheel.
$(VENV)/locked: requirements.lock | $(UV)
	@rm -f $@
	@echo "Installing the packages of requirements.lock into $(VENV)"
	$(UV) pip sync --python $(BIN)/python --require-hashes --build-constraints requirements.lock requirements.lock
	@touch $@

$(UV): | $(BIN)/python
	@echo "Installing uv into $(VENV), the release that requirements.lock names"
	awk '/^[^ #]/ { keep = /^uv==/ } keep' requirements.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock

$(BIN)/python:
	@$(or $(PYTHON),false) -c '$(USABLE)' || { \
		echo "nullmode needs a Python >= 3.11 with the modules venv and ensurepip (PYTHON is '$(PYTHON)')." >&2; \
		echo "Name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
