# Everything a newcomer needs, from a clean clone: python3 (3.11 or newer), make, and the package registry.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
FUZZ_SECONDS ?= 180
LIVE ?= tests/live

.DEFAULT_GOAL := help
.PHONY: help accuracy setup demo test race check dashboards alerts fuzz fuzz-hub fuzz-api bench-api captures bench vectors migration pins openapi clean live stack stack-demo stack-down compose-data bench-kafka

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## Create .venv with the pinned packages and the mdm command

$(VENV)/.ready: requirements/runtime.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 setup")'
	@echo "Setting up $(VENV): about a minute, more where packages come slowly."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r requirements/runtime.txt -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m matching.compiling
	@touch $@

demo: setup ## Load the sample world, show the result, serve API and console
	$(BIN)/mdm demo $(DEMO_ARGS)

test: setup $(if $(filter 0,$(MDM_BROWSER)),,browser) ## Run all tests (Chromium is installed where it can be; MDM_BROWSER=0 leaves it as it is)
	$(BIN)/python -m pytest -n auto

race: setup ## Two and three workers on one store, split in many ways, and workers killed: the same state as one
	MDM_RACE_SEEDS=$${SEEDS:-1,2,3,4,5,6,7,8} $(BIN)/python -m pytest -q tests/integration/hub/test_claims.py tests/integration/hub/test_claims_of_crowded_blocks.py tests/integration/hub/test_convergence.py -k "quiet or killed or beside or step or interleaving or crowded"

check: setup ## Style, types, import rules, API description and what it promised
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if test -f api/openapi.json; then $(BIN)/python -m api.openapi --check; fi
	$(BIN)/mdm api diff --base v1 --fail-on breaking
	$(BIN)/python -m api.asyncapi --check
	$(BIN)/python -m api.matrix --check

dashboards: setup ## Write the Grafana dashboards anew (deploy/grafana)
	$(BIN)/python -m deploy.grafana.build

PROMTOOL_VERSION ?= v0.316.0

alerts: setup ## Check the alert rules and tell their stories with Prometheus' own tool (promtool; Go fetches it into var/bin)
	@command -v promtool >/dev/null || test -x var/bin/promtool || ! command -v go >/dev/null || { echo "Fetching promtool $(PROMTOOL_VERSION): some minutes."; GOBIN=$(CURDIR)/var/bin go install github.com/prometheus/prometheus/cmd/promtool@$(PROMTOOL_VERSION); }
	$(BIN)/python -m pytest -q -rs -k "alert or rule" tests/unit/mdm/observability/test_dashboards.py

fuzz: setup ## Damage captured messages for FUZZ_SECONDS (180) and see that none goes astray
	$(BIN)/python -m tests.fuzz.campaign $(FUZZ_SECONDS)

fuzz-hub: setup ## Feed hubs with damaged feeds for FUZZ_SECONDS (180), mend them, and see that they hold what was meant (SEED=1)
	$(BIN)/python -m tests.fuzz.hub $(FUZZ_SECONDS) $(or $(SEED),1)

captures: setup ## Compare whole captures with the tables they were taken from: make captures DIR=...
	$(BIN)/python -m bench.captures $(DIR)

fuzz-api: setup ## Hold the API to its description with many generated requests, in process and over HTTP (25 minutes idle, an hour on busy cores)
	MDM_FUZZ_EXAMPLES=$${MDM_FUZZ_EXAMPLES:-50} MDM_FUZZ_SECONDS=$${MDM_FUZZ_SECONDS:-2} $(BIN)/python -m pytest -s tests/api/test_contract.py
	MDM_FUZZ_SERVED=1 MDM_FUZZ_EXAMPLES=$${MDM_FUZZ_EXAMPLES:-50} MDM_FUZZ_SECONDS=$${MDM_FUZZ_SECONDS:-2} $(BIN)/python -m pytest -s tests/api/test_contract.py

bench-api: setup ## Measure the API over 100,000 golden records
	$(BIN)/python -m bench.api

BENCH_RECORDS ?= 100000
BENCH_STORED ?= 4000

bench: setup ## All measurements, one after the other (allow an hour or two; WORLD=folder, else the sample world; BENCH_RECORDS, BENCH_STORED)
	$(BIN)/python -m bench.ingest $(if $(WORLD),--world $(WORLD))
	$(BIN)/python -m bench.resolve --stored $(BENCH_STORED)
	$(BIN)/python -m bench.scoring
	$(BIN)/python -m bench.parity --pairs 1000000
	$(BIN)/python -m bench.equality $(if $(WORLD),--world $(WORLD))
	$(BIN)/python -m bench.batch --splink --records $(BENCH_RECORDS)
	$(BIN)/python -m bench.batch --train 20000 --records $(BENCH_RECORDS)
	$(BIN)/python -m bench.batch --train 20000 --afresh --records $(BENCH_RECORDS)
	$(MAKE) --no-print-directory bench-api bench-console
	@if command -v java >/dev/null && command -v mvn >/dev/null; then $(BIN)/python -m bench.kafka $(if $(WORLD),--world $(WORLD)); else echo "bench.kafka is left out: it needs Java 17 and Maven."; fi

live: setup ## Tests against a real Kafka broker and Debezium, killed at random (Java 17 and Maven; about 10 minutes)
	@command -v java >/dev/null && command -v mvn >/dev/null || $(BIN)/python -m pip install --quiet -r requirements/live.txt
	MDM_LIVE=1 $(BIN)/python -m pytest -p no:randomly -rs $(LIVE)

stack: setup ## Start Kafka, Debezium, four platform databases and the hub (Java 17 and Maven; data in var/stack)
	$(BIN)/python -m deploy.stack up

stack-demo: setup ## Change rows of a platform by SQL and watch the golden record change
	$(BIN)/python -m deploy.stack demo

stack-down: setup ## Stop the stack; its data stay
	$(BIN)/python -m deploy.stack down

compose-data: setup ## SQL of the sample platforms for deploy/compose.yaml
	$(BIN)/python -m deploy.stack sql --directory var/platforms

accuracy: setup ## Accuracy on public sets beside Splink's defaults; DATA=FOLDER with one folder per set
	@test -n "$(DATA)" || { echo "Name the folder of the sets: make accuracy DATA=FOLDER"; exit 2; }
	$(BIN)/python -m bench.accuracy.run --data $(DATA) $(ACCURACY_ARGS)

bench-kafka: setup ## Events per second from Kafka to golden records, freshness, memory (Java 17 and Maven)
	$(BIN)/python -m bench.kafka
vectors: setup ## Judge identifiers of known validity (DATA=folder with identifiers.csv)
	$(BIN)/python -m bench.vectors --data $(DATA)

.PHONY: spark bench-matching
spark: setup ## Add the optional Spark engine (450 MB; needs Java 17 to run)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/spark.txt

bench-matching: setup ## Whole stores of 100,000 and a million companies, beside Splink (half an hour)
	$(BIN)/python -m bench.batch --splink --records 100000 --records 1000000
	$(BIN)/python -m bench.batch --train 20000 --records 1000000

migration: setup ## Write migration 0001 again from the tables (until the first release)
	$(BIN)/python -m migrations.initial
	$(BIN)/ruff format --quiet migrations
	$(BIN)/ruff check --quiet migrations

pins: setup ## Resolve the newest versions of all packages
	$(BIN)/python requirements/pin.py runtime dev

clean: ## Remove everything that was made here, but not the data
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: browser browser-tests browser-medium screenshots bench-console

browser: setup ## Chromium and axe-core for browser tests and pictures, where they can be installed
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && test "$$(id -u)" = 0 && timeout 120 apt-get update -qq && timeout 300 apt-get install -qq -y chromium fonts-noto-cjk fonts-inter pngquant >/dev/null; } || echo "Chromium cannot be installed here; browser tests will be skipped."
	@$(BIN)/python -c "from tests.e2e.browsing import axe_script; print('axe-core is here' if axe_script() else 'axe-core cannot be fetched; accessibility tests will be skipped.')"

browser-tests: browser ## All browser tests, accessibility of every screen included
	MDM_ALL_SCREENS=1 $(BIN)/python -m pytest -n 2 tests/e2e

browser-medium: browser ## Twenty real questions of a large world in the browser: make browser-medium WORLD=FOLDER
	MDM_MEDIUM_WORLD=$(WORLD) $(BIN)/python -m pytest -s -p no:randomly tests/e2e/test_medium_world.py

screenshots: browser ## Picture every screen of the console into docs/console
	$(BIN)/python -m tests.e2e.picture docs/console

bench-console: setup ## Milliseconds of the console's pages at 100,000 records
	$(BIN)/python -m bench.console
