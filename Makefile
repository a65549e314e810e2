# Each makes .venv if it is missing, installs, and runs.
PYTHON ?= python3
BIN := $(if $(filter Windows_NT,$(OS)),.venv/Scripts,.venv/bin)

.PHONY: demo test check format clean docs release-check

demo: .venv/installed
	$(BIN)/i2i demo

test: check
	$(BIN)/pytest

# Lint, types and the direction of imports.
check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The guide as pages, in site/.
docs: .venv/installed-dev
	$(BIN)/mkdocs build --strict

# The packages: what is in them, and the demo from an installed wheel, outside this clone.
release-check: .venv/installed-dev
	$(BIN)/python tools/check_release.py

clean:
	rm -rf .venv build dist site

.venv/pyvenv.cfg:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ .venv/installed
