# Two commands for a newcomer: `make demo` and `make test`. Needs git, make, python3 (3.11 to 3.13) and python3-venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN_ON ?= 2# processes of pytest
PAGES ?= .venv-pages# environment of the Space
SUITES ?= .benchforge/suites# environments of the opt-in suites
ENGINES ?= .venv-engines# environments of the servers that test-engine runs

.DEFAULT_GOAL := help
.PHONY: help demo install tools test lint types layers sql pytest dbt docs golden lineage reference results test-spark test-engine test-pages pictures test-slurm test-containers suite-bigcodebench suite-ds1000 suite-multipl_e audit-public bench clean plan stage generate smoke score aggregate status

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9_ -]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## install and run the whole road offline on bundled data
	$(BIN)/benchforge demo

test: lint types layers sql pytest dbt ## lint, types, layers, pytest, dbt unit and data tests

install: $(VENV)/.installed ## make the virtual environment

tools: $(VENV)/.tested ## what tests need beside it: pytest, linters, the gate, the publisher

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tested
	$(BIN)/pyright

layers: $(VENV)/.tested
	$(BIN)/lint-imports

sql: $(VENV)/.tested
	$(BIN)/sqlfluff lint models macros tests/dbt --disable-progress-bar

pytest: $(VENV)/.tested
	$(BIN)/python -m pytest -n $(RUN_ON)

dbt: $(VENV)/.tested
	$(BIN)/dbt build --quiet --target-path target/test --profiles-dir .

docs: $(VENV)/.tested ## target/docs/static_index.html: every mart and column on one page that needs no network
	$(BIN)/dbt build --quiet --exclude-resource-type test --exclude-resource-type unit_test --target-path target/docs --profiles-dir .
	$(BIN)/dbt docs generate --static --quiet --target-path target/docs --profiles-dir .
	@echo target/docs/static_index.html

golden: $(VENV)/.tested ## tests/golden/*/*.csv: what people read, to be compared byte for byte
	$(BIN)/python tests/golden/golden_marts.py

lineage: $(VENV)/.tested ## docs/lineage.csv: from which raw columns every column of a mart is made
	$(BIN)/dbt compile --quiet --target-path target/lineage --profiles-dir . --vars '{duckdb_path: target/lineage.duckdb}'
	$(BIN)/python -m benchforge.runners.lineage target/lineage/manifest.json docs/lineage.csv

results: $(VENV)/.tested ## RESULTS.md: the present numbers, from the marts of the bundled lake
	$(BIN)/python -m benchforge.runners.publish.results_page

reference: $(VENV)/.tested ## pages made from declarations: docs/{cli,lake,settings}.md, deviations, the README's table of stages
	$(BIN)/python -m benchforge.runners.cli.reference

test-spark: $(VENV)/.spark ## the same marts on Spark, row by row; needs Java (apt-get install default-jre-headless)
	$(BIN)/python -m pytest tests/spark -q

test-engine: $(VENV)/.tested ## generate, score, build on real servers: vLLM for CPU, llama.cpp, transformers serve
	sh tests/engine/install.sh $(ENGINES) $(BIN)/python
	BENCHFORGE_ENGINES=$(abspath $(ENGINES)) $(BIN)/python -m pytest tests/engine -q

# most of it is waiting (for limits, requeues, nodes that are noticed): each file has a cluster of its own
test-slurm: $(VENV)/.tested ## the batch side on a real SLURM of four virtual nodes; needs slurm-wlm slurmdbd mariadb-server
	BENCHFORGE_SLURM=1 $(BIN)/python -m pytest tests/slurm -q -n 3 --dist loadfile

test-pages: $(VENV)/.tested ## the Space and the cards in a real Chromium (apt-get install chromium)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group pages
	@$(MAKE) --no-print-directory $(PAGES)/.installed || echo "the Space's requirements cannot be installed here" >&2
	BENCHFORGE_PAGES=$(abspath $(PAGES)) $(BIN)/python -m pytest tests/pages -q -s

test-containers: $(VENV)/.tested ## package steps of the images under bubblewrap, and the harness in one of them beside ours
	BENCHFORGE_CONTAINERS=1 $(BIN)/python -m pytest tests/containers -q

suite-bigcodebench suite-ds1000: ## environment of an opt-in suite, gigabytes; needs python3.10 with venv (ds1000: or python3.11)
	sh containers/suite.sh $(@:suite-%=%) $(abspath $(SUITES))/$(@:suite-%=%)

suite-multipl_e: ## toolchains of seven languages: Debian packages where this is root, compilers that start warm; needs npm
	containers/suite-multipl_e.sh $(abspath $(SUITES))

audit-public: $(VENV)/.installed ## docs/audit.md: public boards counted again; DATA=DIR or BENCHFORGE_RECORDED names the recorded sets
	$(BIN)/python -m benchforge.runners.ask.boards $(if $(DATA),--from $(DATA)) $(ARGS)

pictures: $(VENV)/.tested $(PAGES)/.installed ## docs/pictures: the Space over made models, the demo's scores with their intervals
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group pages
	BENCHFORGE_PAGES=$(abspath $(PAGES)) $(BIN)/python tests/pages/take_pictures.py

bench: $(VENV)/.tested ## speed, as ratios against named baselines measured in the same run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group bench
	BENCHFORGE_BENCH=1 $(BIN)/python -m pytest tests/bench -q -s

plan stage aggregate status: $(VENV)/.installed ## one stage, here
	$(BIN)/benchforge $@ $(ARGS)

generate score smoke: $(VENV)/.installed ## on SLURM where there is one, else here
	@if timeout 20 sinfo -h >/dev/null 2>&1; then $(BIN)/benchforge submit $@ $(ARGS); \
	else echo "no SLURM answers here: benchforge $@ runs on this machine" >&2; $(BIN)/benchforge $@ $(ARGS); fi

# One place decides whether this machine has what the environment needs; a missing piece is named with its apt line.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "python3 is $$($(PYTHON) -V 2>&1), 3.11 to 3.13 is needed: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# setuptools warns of every editable install; nobody who reads it could do anything
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --upgrade pip setuptools
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[gx,publish,report]' --group dev
	@touch $@

$(VENV)/.spark: $(VENV)/.tested
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[spark]'
	@touch $@

$(PAGES)/.installed: runners/publish/space/requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(PAGES)
	$(PAGES)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean: ## remove what builds and demos leave behind
	rm -rf target logs build .benchforge .pytest_cache .ruff_cache benchforge.duckdb marts
