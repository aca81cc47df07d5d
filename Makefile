# Everything here needs Python 3.11 or newer, make, and a package registry.
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= --json
# In the order of the folders, for the long files (bench, browser, chaos) come first in it: a long one that comes last keeps one core waiting.
PYTEST ?= -n 2 --dist loadfile --no-loadscope-reorder
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Tests start some hundred programs: each would read all our source anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install dev run demo test coverage test-live test-crm test-odoo test-espocrm check bench chaos fuzz lock licences sbom openapi standing doctor

help:  ## What there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: .venv/.installed  ## Put the venv at .venv, with the warmline command in it

.venv/.installed: requirements.txt requirements.in pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Warmline needs Python 3.11 or newer; this is %d.%d. Name another one: make PYTHON=python3.12" % sys.version_info[:2] or 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what Warmline needs (a minute, the first time) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

dev: .venv/.installed-dev

.venv/.installed-dev: .venv/.installed requirements-otel.txt requirements-dev.txt
	@echo "Installing what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt -r requirements-otel.txt -r requirements-dev.txt
	@touch $@

run: install  ## Start everything, with a sandbox to play in; Ctrl-C stops it
	@$(BIN)/warmline up

demo: install  ## Run the main job once and print what came of it (DEMO="--json --data DIR")
	@$(BIN)/warmline demo $(DEMO)

test: dev  ## All tests
	@$(BIN)/python -m pytest $(PYTEST)

coverage: dev  ## All tests, and which lines of ours none of them runs (slower)
	@$(BIN)/python -m slipcover -m pytest $(PYTEST)

test-live: dev  ## Tests against real servers (WARMLINE_BLUESKY: a folder whose up.sh starts a Bluesky network; WARMLINE_TAKAHE: one with Takahe and its .venv; WARMLINE_GOTOSOCIAL: one with GoToSocial's program and its web/)
	@$(BIN)/python -m pytest tests/live -q

test-crm: dev  ## Tests against a real BottleCRM, installed in build/ (WARMLINE_BOTTLECRM_PYTHON: a Python >= 3.12)
	@WARMLINE_BOTTLECRM=1 $(BIN)/python -m pytest tests/live/test_bottlecrm.py tests/live/test_whole_way.py -q -k bottlecrm

test-odoo: dev  ## Tests against a real Odoo (WARMLINE_ODOO_PYTHON: a Python 3.6, for an Odoo 11.0 installed in build/; or WARMLINE_ODOO: a checkout with its .venv)
	@$(BIN)/python -m pytest tests/live/test_odoo.py tests/live/test_odoo_contract.py tests/live/test_odoo_tasks.py tests/live/test_whole_way.py -q -k odoo

test-espocrm: dev  ## Tests against a real EspoCRM (WARMLINE_ESPOCRM_SERVER: its program as released, vendor/ in it; PHP with pdo_pgsql on the path, or WARMLINE_PHP), and the contract of all CRMs on it
	@$(BIN)/python -m pytest tests/live/test_espocrm.py tests/live/test_espocrm_contract.py tests/live/test_espocrm_tasks.py tests/live/test_whole_way.py -q -k espocrm
	@$(BIN)/python -m pytest tests/integrations -q -k "espocrm and real"

check: dev  ## Lint, types, architecture, the API document, licences
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/warmline openapi --check
	@$(BIN)/python .ci/supply.py licences --check

.venv/.installed-bench: .venv/.installed-dev requirements-bench.txt
	@echo "Installing what Warmline is measured against ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-bench.txt
	@touch $@

bench: .venv/.installed-bench  ## Speed, memory and goals, beside a reference in the same run (BENCH="pull decide push api latency matching identity waiting texts talking mapping calls contacts due cost fleet polling doors neighbour release")
	@$(BIN)/python -m bench $(BENCH)

chaos: dev  ## The whole system under a thousand faults drawn from a seed; then network, tables and CRM compared (CHAOS="--faults 60 --posts 2000 --seed 7")
	@$(BIN)/python -m chaos $(CHAOS)

fuzz: dev  ## What strangers may send: every parser for an hour, the API with 20,000 calls, every route with 20,000 requests in all (FUZZ="--minutes 60 --cases 20000 --requests 20000 --seed 7 --only answers/")
	@$(BIN)/python -m fuzz $(FUZZ)

standing: dev  ## Write anew which rules each provider keeps, by what the contract's tests show
	@$(BIN)/python -m pytest -m rule --write-standing -q $(PYTEST) || true
	@$(BIN)/warmline providers

licences: dev  ## Write docs/licences.md anew, after a change of requirements
	@$(BIN)/python .ci/supply.py licences

sbom: dev  ## Write a bill of materials (CycloneDX) of what the running program needs (SBOM=build/sbom.json)
	@$(BIN)/python .ci/supply.py sbom $(or $(SBOM),build/sbom.json)

openapi: install  ## Write openapi.yaml anew
	@$(BIN)/warmline openapi > openapi.yaml

doctor: install  ## Say what is missing in the set-up
	@$(BIN)/warmline doctor

lock: dev  ## Pin requirements anew, with hashes (needs uv)
	@uv pip compile --quiet --no-annotate --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header requirements.in -o requirements.txt
	@uv pip compile --quiet --no-annotate --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header requirements-otel.in -o requirements-otel.txt
	@uv pip compile --quiet --no-annotate --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header requirements-dev.in -o requirements-dev.txt
	@uv pip compile --quiet --no-annotate --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-header requirements-bench.in -o requirements-bench.txt
