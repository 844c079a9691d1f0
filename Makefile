# Needs Python 3.11 or newer, pip and make; nothing else has to be installed or activated.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OVERRIDES ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test spark lint docs notebooks wheel clean

help:
	@echo "make demo       forecast a made-up company and open its report (OVERRIDES='demo.n_deals=2000' changes settings)"
	@echo "make install    make the environment in .venv"
	@echo "make test       run the tests"
	@echo "make spark      install PySpark, so that the tests of Spark run too (they need Java 17 as well)"
	@echo "make lint       style, types and layers"
	@echo "make docs       build the documentation into site/ (warnings are errors); open site/index.html"
	@echo "make notebooks  run the notebooks; executed copies go to out/notebooks/"
	@echo "make wheel      build the wheel into dist/"
	@echo "make clean      remove the environment and everything that was built"

install: $(VENV)/.installed

demo: $(VENV)/.installed
	$(BIN)/pipeforecast demo $(OVERRIDES)

test: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

spark: $(VENV)/.installed-spark

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

notebooks: $(VENV)/.installed-notebooks
	mkdir -p out/notebooks
	cd notebooks && for each in *.ipynb; do \
		echo "$$each"; \
		../$(BIN)/jupyter execute --output="../out/notebooks/$$each" "$$each" || exit 1; \
	done

wheel: $(VENV)/.installed-dev
	$(BIN)/python -m build --wheel --outdir dist .

clean:
	rm -rf $(VENV) build dist site out/notebooks notebooks/out notebooks/.pipeforecast src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "expected Python 3.11 or newer, came $$($(PYTHON) --version 2>&1); say make PYTHON=python3.11"; exit 1; }
	@echo "making $(VENV)"
	@# Debian ships Python without ensurepip: there the pip that is installed puts one into the new environment.
	@$(PYTHON) -m venv $(VENV) > /dev/null 2>&1 || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
		&& $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check pip; }

# Both installs are editable and held by one constraints file, so that they agree and a later one adds what is missing.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing pipeforecast and what it needs (about 1 GB, a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing pipeforecast, what it needs and the tools to test it"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.installed

# PySpark weighs half a gigabyte: only who works on what needs it installs it.
$(VENV)/.installed-spark: $(VENV)/.installed-dev
	@echo "installing PySpark (about 500 MB)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,spark]'
	@touch $@

$(VENV)/.installed-docs: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing pipeforecast and the tools for its documentation"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-notebooks: pyproject.toml constraints.txt notebooks/own_model/pyproject.toml notebooks/own_model/daily_rates.py | $(BIN)/python
	@echo "installing pipeforecast, what notebooks need and the example of a model of one's own"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[notebooks]' -e notebooks/own_model
	@touch $@ $(VENV)/.installed
