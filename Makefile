# Serayu: `make demo` shows it, `make test` tests it, `make check` looks at style, types and contracts.
# All need Python 3.11 or newer with venv, and nothing else: tools come hashed into .venv.
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
UV := $(BIN)/uv
COMPONENTS := api edge ingest models standalone vision
# Processes that share the tests; one asks for none: make test WORKERS=0
WORKERS ?= 2

# Kept bytecode: without it each of the programs that demo and tests start compiles all its libraries again.
unexport PYTHONDONTWRITEBYTECODE

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--override requirements/override.txt --no-emit-index-url --no-header

.PHONY: demo test check venv lock clean
.DELETE_ON_ERROR:

demo: .venv/.run
	@$(BIN)/serayu demo $(ARGS)

test: .venv/.ready
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --doctest-modules --ignore-glob="*/migrations/*" $(COMPONENTS) tests/test_locks.py

venv: .venv/.ready

# Every lock file again, keeping the pins that still fit; delete a lock first to move all of its pins.
# dev.lock comes first and constrains the others, so that what runs is what was tested.
lock: $(UV)
	echo 'uv==$(UV_VERSION)' | $(COMPILE) --no-annotate --output-file requirements/uv.lock -
	$(COMPILE) --extra edge --extra server --extra vision --group dev --output-file requirements/dev.lock pyproject.toml
	$(COMPILE) --extra edge --extra server --extra vision --group build --group faces --constraint requirements/dev.lock \
		--output-file requirements/run.lock pyproject.toml
	$(COMPILE) --extra edge --group build --constraint requirements/dev.lock \
		--output-file requirements/edge.lock pyproject.toml

# Set-up echoes no commands: standard output is the program's, e.g. its JSON document.
$(UV): requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
		--requirement requirements/uv.lock
	@touch $@

# What runs, without test and style tools: a third less to fetch than .ready.
.venv/.run: pyproject.toml requirements/run.lock | $(UV)
	@echo "Paket dipasang ke .venv · packages go into .venv …" >&2
	@rm -f .venv/.ready
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/run.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# What runs, plus what tests it; it serves `make demo` as well.
.venv/.ready: pyproject.toml requirements/dev.lock | $(UV)
	@echo "Paket dipasang ke .venv · packages go into .venv …" >&2
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch .venv/.run $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage dist
