# make run     evaluate an agent, optimize it, evaluate it on tasks held back, with the embedded model: no key, no network but pip's
# make test    every test, one process a core
# make check   lint, format, types, layers
# Each sets up what it needs in .venv, from nothing but Python 3.11 or newer (uv is used where it is there).

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
MIN := import sys; sys.exit(sys.version_info < (3, 11))
TASKS := examples/tasks/*.yaml
HOUSE := examples/house_rule/tasks.yaml
SOURCES := agents tools sandbox tests examples hatch_build.py
export PYTHONDONTWRITEBYTECODE := # bytecode is kept: without it every child process compiles the package anew

.PHONY: run test check cover bench bench-peers soak train lock clean

run: export LOOPWRIGHT_MODEL ?= embedded
run: $(VENV)/.run
	@rm -rf runs/examples runs/house_rule
	$(BIN)/loopwright eval $(TASKS) --out runs/examples $(ARGS)
	@printf '\nA rule of the house that neither tools nor questions tell, on tasks held back:\n\n'
	$(BIN)/loopwright eval $(HOUSE) --split test --out runs/house_rule/before $(ARGS)
	@printf '\nThe agent learns from the tasks of train and dev:\n\n'
	$(BIN)/loopwright optimize $(HOUSE) --budget rollouts=160 --out runs/house_rule/agent.json
	@printf '\nThe same tasks held back, with what it learned:\n\n'
	$(BIN)/loopwright eval $(HOUSE) --split test --program runs/house_rule/agent.json --baseline runs/house_rule/before --out runs/house_rule/after $(ARGS)

test: $(VENV)/.dev
	$(PY) -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy -p loopwright
	$(BIN)/mypy tests examples
	$(BIN)/lint-imports

cover: $(VENV)/.dev
	$(PY) -m pytest -n auto --maxprocesses 8 --dist worksteal --cov --cov-report=term-missing:skip-covered $(ARGS)

bench: $(VENV)/.dev
	for script in tests/benchmarks/bench_*.py; do $(PY) $$script || exit 1; done

# The sandbox beside smolagents, pydantic-monty and DSPy with its Deno, in an environment of their own; needs uv.
bench-peers: $(VENV)/.dev
	uv venv -q --allow-existing --python $(PY) $(VENV)/peers
	uv pip install -q -p $(VENV)/peers/bin/python -e . smolagents pydantic-monty "dspy[deno]"
	$(VENV)/peers/bin/python tests/benchmarks/bench_sandbox.py $(ARGS)

soak: $(VENV)/.dev
	$(PY) tests/benchmarks/soak_sandbox.py $(ARGS)

train: $(VENV)/.dev
	$(BIN)/python -c "import torch" 2>/dev/null || $(MAKE) --no-print-directory install WHAT='-e .[train]'
	$(PY) -m examples.train_embedded.train $(ARGS)

# The versions that a fresh install gets; needs uv.
lock:
	uv pip compile pyproject.toml --group dev --universal --no-header --no-annotate -q -o constraints.txt

clean:
	rm -rf $(VENV) src agents/tools agents/sandbox dist .mypy_cache .ruff_cache .pytest_cache .coverage

$(VENV)/.run: pyproject.toml constraints.txt hatch_build.py | $(PY)
	@$(MAKE) --no-print-directory install WHAT='-e .'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt hatch_build.py | $(PY)
	@$(MAKE) --no-print-directory install WHAT='-e . --group dev'
	@touch $@ $(VENV)/.run

.PHONY: install
install:
	@echo "Installing into $(VENV) …"
	@if command -v uv >/dev/null 2>&1; then uv pip install -q -p $(PY) -c constraints.txt $(WHAT); \
	else $(PY) -m pip install -q --disable-pip-version-check -c constraints.txt $(WHAT); fi

$(PY):
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
	  if command -v $$python >/dev/null 2>&1 && $$python -c "$(MIN)" 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if command -v uv >/dev/null 2>&1; then uv venv -q --python "$${found:-3.11}" $(VENV); \
	elif [ -n "$$found" ]; then $$found -m venv $(VENV) && $(PY) -m pip install -q --disable-pip-version-check "pip>=25.1"; \
	else echo "Python 3.11 or newer is needed; name it with: make run PYTHON=/path/to/python" >&2; exit 1; fi
