# The commands of the project; `make` alone lists them. CI runs the same ones.
PYTHON ?= python3
PORT ?= 8000
JOBS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
# Tests start a few hundred commands and servers. Where Python is told to keep no bytecode,
# as images for containers like to, each of them would compile the whole house anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo test lint check bench soak messages lock clean browser

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed ## Show the demo company at PORT=8000; RESET=1 starts over, DATA=FOLDER brings in CSV files
	$(BIN)/rapport demo --url "http://127.0.0.1:$(PORT)" $(if $(RESET),--reset) $(if $(DATA),--data "$(DATA)")
	$(BIN)/rapport run --port "$(PORT)"

lint: .venv/tested ## Check style, types and layering
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: .venv/tested browser ## Run all tests on SQLite, PostgreSQL and Chromium; ARGS="-k words" chooses
	$(BIN)/python -m pytest -n $(JOBS) -m "not soak" $(ARGS)

check: lint test ## What CI runs: lint, then test

bench: .venv/tested ## Measure pages on a large company, SQLite and PostgreSQL; ARGS="--scale 0.1" is smaller
	$(BIN)/python -m tests.bench $(ARGS)

soak: .venv/tested browser ## Run the fault, race and property tests with their full counts
	RAPPORT_SOAK=1 $(BIN)/python -m pytest -n $(JOBS) -m soak --timeout 3600 $(ARGS)

messages: .venv/installed ## Bring the catalogues of translations in step with the words on screen
	$(BIN)/python -m core.testing.messages core $(patsubst %/plugin.py,%,$(wildcard plugins/*/plugin.py))

lock: ## Choose the newest libraries that setup.cfg allows (needs uv)
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile setup.cfg --upgrade --quiet \
		--universal --generate-hashes --no-annotate \
		--extra build --extra postgres --output-file requirements.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile setup.cfg --quiet \
		--universal --generate-hashes --no-annotate --constraint requirements.lock \
		--extra build --extra postgres --extra test --output-file requirements-test.lock

clean: ## Remove what these commands made, except instance/
	rm -rf .venv build dist *.egg-info .coverage* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find core plugins tests -name __pycache__ -prune -exec rm -rf {} +

# Only what the lock names is downloaded: setuptools, which builds us, is in it too.
.venv/installed: requirements.lock setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rapport needs Python 3.11 or newer: make PYTHON=python3.x")'
	@echo "Installing the libraries: a minute or two the first time."
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/tested: .venv/installed requirements-test.lock
	$(PIP) install --require-hashes --requirement requirements-test.lock
	@touch $@

# The browser tests take the Chromium of the machine; where there is none we try to
# install it, and where we may not, those tests say what is missing.
browser: .venv/tested
	@$(BIN)/python -c "from core.testing.chromium import find_chromium; find_chromium()" 2>/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ]; then as_root=""; else as_root="sudo -n"; fi; \
	if command -v apt-get >/dev/null && $$as_root true 2>/dev/null; then \
		$$as_root apt-get update -qq && $$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq chromium fonts-noto-cjk >/dev/null && exit 0; \
	fi; \
	echo "No Chromium here, and no right to install it: the browser tests will be skipped."
