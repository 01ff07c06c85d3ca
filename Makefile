# `make demo` runs the main job, `make test` runs the tests, `make check` is the gate that CI runs.
# Each makes its own virtual environment; PYTHON chooses the interpreter.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin

.PHONY: demo test check rest docs coverage format bench clean

demo: $(VENV)/ready
	$(BIN)/pytest examples/premium_routing --dialproof-env=sandbox --dialproof-deploy=apply
	$(BIN)/dialproof audit verify --env sandbox --project examples/premium_routing
	$(BIN)/pytest examples/bank_campaign --dialproof-env=sandbox --dialproof-deploy=apply \
	    --dialproof-audit-export=bank_campaign.audit.csv
	$(BIN)/dialproof audit verify --env sandbox --project examples/bank_campaign

test: $(VENV)/ready
	$(BIN)/python -m pytest

# The tests run serially here, and in two processes against the wheel and the oldest versions (.ci/wheel).
check: $(VENV)/ready
	$(MAKE) --jobs=2 --output-sync=line test rest VENV=$(VENV)

rest: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) docs VENV=$(VENV)
	.ci/hook $(BIN)
	.ci/wheel $(BIN)/python

docs: $(VENV)/ready
	$(BIN)/mkdocs build --quiet
	mkdir -p site/schemas && cp lint/dialproof/schemas/*.json site/schemas/  # where modelines look for them

coverage: $(VENV)/ready
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

format: $(VENV)/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/ready
	-$(BIN)/python -m pip install --quiet --group bench  # an engine that is not built for this machine is not run
	$(BIN)/python -m tests.benchmarks

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[all]' --group dev
	touch $@

clean:
	rm -rf $(VENV) build dist site .dialproof
