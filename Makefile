# The one list of commands, for people and for CI. `make help` shows it.
#
# Everything runs in .venv, which the targets below make and fill. Nothing else needs to be there but
# Python 3.11 or newer, a C compiler and Rust. Choose another Python with `make PYTHON=python3.13 test`.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV ?= .venv
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := $(abspath $(VENV))/bin
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
PYTHON_SOURCES := python tests $(NOTEBOOKS)

# maturin builds with an environment of its own, in which cargo would rebuild PyO3 each time it alternates with
# clippy or `cargo test`: a directory of its own keeps both warm.
IN_VENV := env -u CONDA_PREFIX PATH='$(BIN)':"$$PATH" VIRTUAL_ENV='$(abspath $(VENV))'
MATURIN := $(IN_VENV) CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/extension' maturin
INSTALLED = $(wildcard $(VENV)/lib/python*/site-packages/ilk-$(VERSION).dist-info)
DEVELOP = $(MATURIN) develop --locked $(if $(INSTALLED),--skip-install)

# Prints what pyproject.toml asks for: the build requirements, the package's, and those of the extras named.
define REQUIREMENTS
import sys, tomllib
with open("pyproject.toml", "rb") as file:
    pyproject = tomllib.load(file)
extras = pyproject["project"]["optional-dependencies"]
wanted = pyproject["build-system"]["requires"] + pyproject["project"]["dependencies"]
print(*wanted, *(requirement for extra in sys.argv[1:] for requirement in extras[extra]), sep="\n")
endef
export REQUIREMENTS

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

# --- Setting up ---------------------------------------------------------------------------------------------------

.PHONY: venv
venv: $(VENV)/.with-demo $(VENV)/.with-test ## make .venv with everything that work on ilk needs

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "ilk needs Python 3.11 or newer and found $$($(PYTHON) --version 2>&1): make PYTHON=python3.13 ..." >&2; exit 1; }
	@command -v cargo > /dev/null || { echo "ilk needs Rust: cargo is not on the PATH" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# One stamp for each extra of pyproject.toml.
$(VENV)/.with-%: pyproject.toml | $(VENV)/.made
	'$(BIN)/python' -c "$$REQUIREMENTS" $* > $(VENV)/requirements-$*.txt
	'$(BIN)/python' -m pip install --quiet --requirement $(VENV)/requirements-$*.txt
	@touch $@

.PHONY: build
build: $(VENV)/.with-test ## build the extension for tests: debug assertions and overflow checks on
	$(DEVELOP)

.PHONY: build-release
build-release: $(VENV)/.with-demo ## build the extension as users get it
	$(DEVELOP) --release

# --- Using --------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: build-release ## execute the quickstart notebook into build/quickstart.html
	mkdir -p build
	'$(BIN)/python' -m nbconvert --to html --execute --ExecutePreprocessor.timeout=600 \
	  --output-dir build --output quickstart notebooks/01_quickstart.ipynb
	@echo "The quickstart is in $(abspath build/quickstart.html)"

.PHONY: lab
lab: build-release $(VENV)/.with-lab ## open the notebooks in JupyterLab
	'$(BIN)/python' -m jupyterlab notebooks

.PHONY: bench
bench: build-release $(VENV)/.with-bench ## compare with the peers on this machine, as ratios of times
	'$(BIN)/python' tests/benches/compare.py $(if $(MARKDOWN),--markdown $(MARKDOWN)) $(BENCHES)

.PHONY: coverage
coverage: build-release $(VENV)/.with-bench ## count how often intervals hold a planted truth (400 markets of three sizes)
	'$(BIN)/python' tests/benches/coverage_scorecard.py docs/reliability.png

.PHONY: power
power: build-release $(VENV)/.with-bench ## count how many planted gaps are found, and what is found falsely (400 seeds)
	'$(BIN)/python' tests/benches/power_gaps.py
	'$(BIN)/python' tests/benches/shrinkage_gaps.py docs/shrinkage.png

.PHONY: bench-rust
bench-rust: ## time the kernels alone (criterion)
	cargo bench --locked

# --- Checking -----------------------------------------------------------------------------------------------------

.PHONY: test
test: fmt-check lint test-rust docs-rust build types test-python ## everything that CI checks, in its order

.PHONY: test-rust
test-rust: test-core-alone ## the core's tests, without Python
	cargo test --locked

.PHONY: test-core-alone
test-core-alone: ## the core builds without PyO3
	@tree=$$(cargo tree --locked --edges normal,build,dev --prefix none); \
	if grep -E '^(pyo3|pyo3-[a-z]+|numpy) v' <<< "$$tree"; then \
	  echo "a build without the feature 'python' must not need PyO3" >&2; exit 1; \
	fi

.PHONY: test-python
test-python: build $(VENV)/.with-demo ## behaviour, doctests and notebooks
	'$(BIN)/python' -m pytest $(PYTEST_ARGS)

.PHONY: test-quick
test-quick: build ## the Python tests that take no time
	'$(BIN)/python' -m pytest -m 'not slow and not demo' $(PYTEST_ARGS)

.PHONY: test-notebooks
test-notebooks: build $(VENV)/.with-demo ## the notebooks alone
	'$(BIN)/python' -m pytest tests/python/test_notebooks.py $(PYTEST_ARGS)

.PHONY: test-browser
test-browser: build $(VENV)/.with-browser $(VENV)/.with-plot ## the magics in a real JupyterLab; needs Chromium
	'$(BIN)/python' -m pytest -m browser $(PYTEST_ARGS)

.PHONY: lint
lint: $(VENV)/.with-test ## clippy and ruff
	cargo clippy --locked --all-targets --all-features -- --deny warnings
	'$(BIN)/ruff' check $(PYTHON_SOURCES)

.PHONY: types
types: build $(VENV)/.with-demo ## mypy, and the stub of the extension against the extension
	'$(BIN)/mypy'
	'$(BIN)/python' -m mypy.stubtest ilk._core --mypy-config-file pyproject.toml

.PHONY: fmt
fmt: $(VENV)/.with-test $(VENV)/.with-demo ## format everything and take the outputs out of the notebooks
	cargo fmt
	'$(BIN)/ruff' check --fix-only --quiet $(PYTHON_SOURCES)
	'$(BIN)/ruff' format $(PYTHON_SOURCES)
	$(if $(NOTEBOOKS),'$(BIN)/python' -m nbconvert --clear-output --inplace $(NOTEBOOKS))

.PHONY: fmt-check
fmt-check: $(VENV)/.with-test ## is everything formatted?
	cargo fmt --check
	'$(BIN)/ruff' format --check $(PYTHON_SOURCES)

# --- Publishing ---------------------------------------------------------------------------------------------------

.PHONY: docs
docs: docs-rust build-release $(VENV)/.with-docs ## the reference pages, Rust and Python
	'$(BIN)/python' -W error -m pdoc --docformat numpy --output-directory build/docs ilk '!ilk._core'
	@echo "Python: $(abspath build/docs/index.html)"
	@echo "Rust:   $(CARGO_TARGET_DIR)/doc/ilk/index.html"

.PHONY: pictures
pictures: build-release ## draw the pictures of the README
	'$(BIN)/python' docs/pictures.py

.PHONY: requirements
requirements: $(VENV)/.with-test ## the page that says what answers each requirement, and which test shows it
	'$(BIN)/python' docs/requirements.py

.PHONY: docs-rust
docs-rust: ## rustdoc without warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --locked --no-deps --all-features

# zig links against the glibc of manylinux2014, whatever this machine has.
.PHONY: wheel
wheel: $(VENV)/.with-wheel ## the wheel and the source distribution, each tried out
	rm -rf dist build/wheel build/from-sdist
	$(MATURIN) build --release --locked --strip --zig --compatibility manylinux2014 --out dist
	$(MATURIN) sdist --out dist
	'$(BIN)/python' tests/packages.py dist build/wheel
	$(IN_VENV) CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/extension' MATURIN_PEP517_ARGS='--profile dev' \
	  python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/from-sdist dist/*.tar.gz
	@echo "The packages in dist work"

.PHONY: clean
clean: ## remove what the targets made, .venv included
	rm -rf build dist $(VENV) python/ilk/*.so .mypy_cache .pytest_cache .ruff_cache .hypothesis
	cargo clean --quiet
