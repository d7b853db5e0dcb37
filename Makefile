# Everything a newcomer needs, from a clean clone: python3 (3.11 or newer), make, and the package registry.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench migration pins openapi clean live stack stack-demo stack-down compose-data bench-kafka vectors race

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## Create .venv with the pinned packages and the mdm command

$(VENV)/.ready: requirements/runtime.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 setup")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r requirements/runtime.txt -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: setup ## Load the sample world, show the result, serve API and console
	$(BIN)/mdm demo $(DEMO_ARGS)

test: setup ## Run all tests
	$(BIN)/python -m pytest -n auto

race: setup ## Two and three workers on one store, split in many ways: the same state as one
	MDM_RACE_SEEDS=$${SEEDS:-1,2,3,4,5,6,7,8} $(BIN)/python -m pytest -q tests/integration/hub/test_claims.py tests/integration/hub/test_convergence.py -k "quiet or beside or step or interleaving"

check: setup ## Style, types, import rules, API description
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if test -f api/openapi.json; then $(BIN)/python -m api.openapi --check; fi
	$(BIN)/python -m api.asyncapi --check

bench: setup ## Measure the ingest of a larger world
	$(BIN)/python -m bench.ingest

live: setup ## Tests against a real Kafka broker and Debezium, killed at random (Java 17 and Maven; about 5 minutes)
	@command -v java >/dev/null && command -v mvn >/dev/null || $(BIN)/python -m pip install --quiet -r requirements/live.txt
	MDM_LIVE=1 $(BIN)/python -m pytest -p no:randomly -rs tests/live

stack: setup ## Start Kafka, Debezium, four platform databases and the hub (Java 17 and Maven; data in var/stack)
	$(BIN)/python -m deploy.stack up

stack-demo: setup ## Change rows of a platform by SQL and watch the golden record change
	$(BIN)/python -m deploy.stack demo

stack-down: setup ## Stop the stack; its data stay
	$(BIN)/python -m deploy.stack down

compose-data: setup ## SQL of the sample platforms for deploy/compose.yaml
	$(BIN)/python -m deploy.stack sql --directory var/platforms

bench-kafka: setup ## Events per second from Kafka to golden records, freshness, memory (Java 17 and Maven)
	$(BIN)/python -m bench.kafka
vectors: setup ## Judge identifiers of known validity (DATA=folder with identifiers.csv)
	$(BIN)/python -m bench.vectors --data $(DATA)

migration: setup ## Write migration 0001 again from the tables (until the first release)
	$(BIN)/python -m migrations.initial
	$(BIN)/ruff format --quiet migrations
	$(BIN)/ruff check --quiet migrations

pins: setup ## Resolve the newest versions of all packages
	$(BIN)/python requirements/pin.py runtime dev

clean: ## Remove everything that was made here, but not the data
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
