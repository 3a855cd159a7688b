# `make run` and `make test` need nothing but Python 3.11 or newer. PORT, VAR_DIR and DEMO are handed on:
# make run PORT=8123 VAR_DIR=/some/folder DEMO=0
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --root-user-action=ignore
# Named after the content, so a changed list installs once and an unchanged one never.
INSTALLED := $(VENV)/.run-$(shell cat requirements.txt | cksum | cut -d' ' -f1)
TESTABLE := $(VENV)/.test-$(shell cat requirements.txt tests/requirements.txt | cksum | cut -d' ' -f1)
# A file of each feature of the portal, asked again in databases of the tenants' own; all of it: docs/isolation.md.
TIERED := tests/members/test_invite_member.py tests/members/test_publish_facts.py tests/settings \
	tests/sign_in/test_member_signs_in.py tests/dashboard/test_overview.py tests/audit/test_audit_pages.py

.DEFAULT_GOAL := help
.PHONY: help run test coverage lint types behind tiered bench demo migrate tools
# Files whose tests are long come first (tests/conftest.py), so that no process ends long before the other.
SUITE := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# An installation that was cut short is begun anew, whatever had been finished before it; one that goes on is waited for.
.PHONY: $(if $(wildcard $(VENV)/.unfinished),$(INSTALLED) $(TESTABLE))

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

run: $(INSTALLED) ## Start the whole product: databases, migrations, web, workers
	@exec $(BIN)/python -m app.instance run --end-with-parent

test: $(TESTABLE) tools ## Check everything: lint, types, the whole suite
	@$(MAKE) --no-print-directory -j4 -O lint types behind tiered # Side by side: each of them waits a good deal.
	@exec $(SUITE) # What a file's tests share is started once.

coverage: $(TESTABLE) tools ## Run the suite and say which lines of app/ it did not reach
	@exec $(SUITE) --cov

lint: $(TESTABLE) ## Check style, imports, templates and security
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/lint-imports --no-logo > $(VENV)/imports.txt || { cat $(VENV)/imports.txt; exit 1; }
	@$(BIN)/djlint --lint --quiet templates
	@$(BIN)/python -m tests.architecture.migration_sql
	@$(BIN)/bandit -q -c pyproject.toml -r app worker.py wsgi.py

types: $(TESTABLE) ## Check types
	@$(BIN)/mypy --no-error-summary

behind: $(TESTABLE)
	@$(BIN)/python -m pytest -q --homes-behind tests/members tests/settings tests/sign_in

tiered: $(TESTABLE)
	@$(BIN)/python -m pytest -q --tenants-in database $(TIERED)

bench: $(TESTABLE) ## Measure, one JSON line a figure: make bench [ONLY=name]
	@exec $(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY))

demo: $(INSTALLED) ## Seed Acme and Globex into an instance that is not running
	@exec $(BIN)/python -m app.instance demo --end-with-parent

migrate: $(INSTALLED) ## Bring the database of an instance that is not running up to date
	@exec $(BIN)/python -m app.instance migrate --end-with-parent

define prepare
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make run PYTHON=python3.12")'
@while kill -0 "$$(cat $(VENV)/.unfinished 2> /dev/null)" 2> /dev/null; do sleep 1; done
@if [ -e $(VENV)/.unfinished ]; then rm -rf $(VENV); fi
@mkdir -p $(VENV) && echo $$PPID > $(VENV)/.unfinished
@if [ ! -x $(BIN)/python ]; then $(PYTHON) -m venv $(VENV); fi
@$(PIP) -r $(1)
@rm $(VENV)/.unfinished && touch $@
endef

$(INSTALLED):
	$(call prepare,requirements.txt)

$(TESTABLE): $(INSTALLED)
	$(call prepare,tests/requirements.txt)

tools:
	@if command -v chromium > /dev/null && command -v pgbouncer > /dev/null; then exit 0; \
	elif [ "$$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium pgbouncer > /dev/null; \
	else echo "Tests of the browser and the pooler are skipped: install chromium and pgbouncer (apt-get, brew)."; fi
