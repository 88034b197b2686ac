# Needs python3 >= 3.11, make and a package index. Everything happens in .venv.
PYTHON ?= python3
BIN := .venv/bin
DIR ?= samples
JOBS ?= 2

# Each job computes with one thread: more threads than cores wait for each other.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# How many faults of each kind a command meets, and how long clients work at the server while its indexer is killed.
FAULTS ?= 12
MINUTES ?= 30

# The revision that speed is compared with; benchmarks by their file's name, all if none.
BASE ?= HEAD
ONLY ?=

.PHONY: install demo test slow faults soak lint docs bench bench-compare clean

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,paraclap,reproduce,llm,multilingual,scale,serve,docs,dev]'
	touch $@

demo: install
	$(BIN)/emorank search "shouting, loud, fast and excited" $(DIR) --top 5
	$(BIN)/emorank search "slow, quiet, tired voice without energy" $(DIR) --top 5

# The suite is in two parts; a change lands when both pass.
test: install
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) -m "not slow"

slow: install
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) -m slow

faults: install
	$(BIN)/python -m tests.faults.run --most $(FAULTS)

soak: install
	$(BIN)/python benchmarks/soak.py --minutes $(MINUTES)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: install
	$(BIN)/mkdocs build --strict

bench: install
	$(BIN)/python benchmarks/bench.py $(ONLY)

bench-compare: install
	$(BIN)/python benchmarks/compare.py $(BASE)

clean:
	rm -rf .venv build dist site
