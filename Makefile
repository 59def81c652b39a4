# `make demo` and `make test` do all the set-up on a machine with Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# One thread per process: the defaults of the numerical libraries oversubscribe small machines.
export OMP_NUM_THREADS := 1

.PHONY: demo test lint format benchmarks clean

demo: $(INSTALLED)
	$(BIN)/na64ml demo --out demo

test: $(INSTALLED)
	$(BIN)/python -m pytest

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmarks: demo
	$(BIN)/python experiments/benchmarks/reading.py
	$(BIN)/python experiments/benchmarks/scoring.py --model demo/model.onnx
	$(BIN)/python experiments/benchmarks/cpp_scoring.py --model demo/model.onnx

# constraints.txt names the versions that were tested together; the package itself allows ranges.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "na64ml needs Python 3.11 or newer; try: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,lint]'
	touch $@

clean:
	rm -rf $(VENV) demo runs build dist
