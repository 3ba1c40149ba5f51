# Two commands are all: `make demo` and `make test`. Both make .venv if it is missing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo clean-demo test lint

demo: .venv/installed
	$(BIN)/python -m benchmarks.demo

clean-demo:
	rm -rf data_shards/demo lightning_logs/demo outputs/demo

test: lint
	$(BIN)/pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
