# Every target that runs something does the set-up first; once done, that takes
# a moment.  `make` alone lists the targets.

BIN := .venv/bin
# Further arguments for pytest: make test ARGS="-k plane_wave"
ARGS ?=
# Processes that share the test files; with 0, pytest runs them itself (as --pdb needs).
WORKERS ?= logical
SHARED_OUT = -n $(WORKERS) --maxprocesses 8 --dist loadfile --max-worker-restart 0

# Open MPI refuses to start as root, and to start more ranks than cores, unless
# it is told to.
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1
export OMPI_MCA_rmaps_base_oversubscribe := 1

# The tests start several processes at once; threads in each of them would only
# get in one another's way.
test test-slow test-slurm: export OMP_NUM_THREADS := 1
test test-slow test-slurm: export OPENBLAS_NUM_THREADS := 1

# An MPI that was set up in .venv (./setup.sh --build-petsc) comes before the system's.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-slurm test-pythons lint check format bench bench-env schemas docs gallery session verify clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything into .venv (minutes the first time, then a second)
	@./setup.sh

demo: setup ## From a density map to its reconstruction: solve, sample, train, report
	@$(BIN)/python -m opalux demo

test: setup ## Run the tests (ARGS="-k name" selects some)
	$(BIN)/pytest $(SHARED_OUT) -m "not slow and not slurm" $(ARGS)

test-slow: setup ## Run the tests that take minutes
	$(BIN)/pytest -m "slow and not slurm" $(ARGS)

test-pythons: ## Run a part of the tests on each further Python that is installed
	.ci/pythons

test-slurm: setup ## Run the tests on a real Slurm, started here (as root it is installed)
	$(BIN)/pytest tests/slurm -m slurm $(ARGS)

lint: setup ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint test ## What continuous integration runs: lint, then test

format: setup ## Put the sources into the common format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## Time the warmed kernels and the parallel run
	$(BIN)/python -m opalux bench

bench-env: setup ## Install PyClaw, deepwave and MONAI into .venv-bench, for `make bench` to compare with (needs gfortran)
	@command -v gfortran > /dev/null || { echo "error: no gfortran; apt-get install gfortran" >&2; exit 2; }
	"$$($(BIN)/python -c 'import sys; print(sys._base_executable)')" -m venv .venv-bench
	.venv-bench/bin/pip install -q "numpy==2.3.5" "setuptools<80" wheel meson meson-python ninja
	PATH=$(CURDIR)/.venv-bench/bin:$$PATH .venv-bench/bin/pip install -q --no-build-isolation clawpack==5.14.0
	$(BIN)/pip install -q --no-deps --target .venv-bench/deepwave deepwave==0.1.0
	$(BIN)/pip install -q --no-deps --target .venv-bench/monai monai==1.6.1

schemas: setup ## Write the JSON Schemas of the configurations anew, after a change of a model
	@$(BIN)/python -m opalux.jobs.starting.schema

docs: setup ## Build the documentation as a site, into site/ (index.html is its start)
	@$(BIN)/python -c "import mkdocs, material" 2> /dev/null || $(BIN)/pip install -q -c constraints.txt mkdocs-material
	@$(BIN)/python -m docs.website
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q
	@! grep -rnE '<(script|img|link)[^>]*(src|href)="https?:' --include='*.html' site
	@echo "site/index.html; with search: $(BIN)/python -m http.server --bind 127.0.0.1 --directory site"

gallery: setup ## Run the scripts of the gallery at full size and keep what they print and draw (minutes)
	@$(BIN)/python -m docs.website.running

session: setup ## Do what the first page says in an empty environment, and write it down
	@$(BIN)/python -m docs.website.session

verify: setup ## Compare the solver with exact solutions and the published results
	$(BIN)/python -m opalux verify

clean: ## Remove caches and .venv; results are kept
	rm -rf .venv .venv-bench .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
