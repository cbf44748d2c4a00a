# Two commands matter: `make iris` runs the main job, `make test` runs the tests; both set up first.
# Everything installs into .venv from requirements.lock (names, versions, hashes).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests at a time; files stay together, as their tests share models that took a while to train.
WORKERS ?= 2
READY := $(VENV)/.ready

.PHONY: iris test test-all docs check format lock clean

iris: $(READY)
	$(BIN)/narrows iris --out iris-report

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not long" $(PYTEST_ARGS)

# What `make test` leaves out because it takes minutes; CI runs both.
test-all: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m long $(PYTEST_ARGS)

# The pages are in docs/_build/html afterwards; a warning is an error.
docs: $(READY)
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build/html

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Pins again everything that pyproject.toml allows; needs uv on the PATH.
lock:
	uv pip compile --universal --python-version 3.11 --extra dev --upgrade \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  pyproject.toml -o requirements.lock

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "narrows needs Python 3.11 or newer; $(PYTHON) is older. Use: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) iris-report .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf docs/_build docs/_generated docs/auto_gallery docs/api/generated docs/sg_execution_times.rst
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
