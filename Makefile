# `make demo`, `make demo-video`, `make test`, `make test-cluster`: each makes .venv if missing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo demo-video clean-demo test test-cluster lint

demo: .venv/installed
	$(BIN)/python -m benchmarks.demo

# The same for video: goes on from the demo's encoder, or trains it first.
demo-video: .venv/installed
	$(BIN)/python -m benchmarks.demo_video

clean-demo:
	rm -rf data_shards/demo lightning_logs/demo outputs/demo
	rm -rf data_shards/demo_video lightning_logs/demo_video outputs/demo_video

test: lint
	$(BIN)/pytest

# On a real Slurm of two nodes, started on the loopback address and ended again. It needs Debian's
# slurm-wlm and munge.
test-cluster: .venv/installed
	PPVD_TEST_CLUSTER=1 $(BIN)/pytest tests/cluster

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
