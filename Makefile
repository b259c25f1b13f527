# One command for each thing that one does here. `make help` lists them.

VENV ?= .venv
PEER_VENV ?= benchmarks/opusfilter_peer/.venv
PEERS := opusfilter data_juicer nemo_curator datatrove
DATA ?= ../shared/data
MGSM ?= $(DATA)/mgsm
PYTEST_OPTIONS ?= --numprocesses auto --maxprocesses 4

export PIP_DISABLE_PIP_VERSION_CHECK = 1

BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip --quiet

.DEFAULT_GOAL := help
.PHONY: help demo install install-dev test check lint types lock benchmark benchmark-audit benchmark-peers clean

help: ## list the targets and the variables
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  PYTHON=...       the Python >= 3.11 that $(VENV) is made with; found by itself"
	@echo "  VENV=...         where the virtual environment is; $(VENV)"
	@echo "  TORCH_INDEX=...  the package index of a torch build: pytorch.org's install page names one for each CUDA"
	@echo "                   version and for the CPU; the locked version is taken from there"
	@echo "  DATA=...         the folder of mgsm/, gsm8k/ and mcot_outputs/, for benchmark; $(DATA)"
	@echo "  MGSM=...         the folder of MGSM's test_sw.json and so on, for benchmark-audit; $(MGSM)"
	@echo "  PYTEST_OPTIONS=  what pytest is given; $(PYTEST_OPTIONS)"

demo: install ## the whole loop on the embedded problems, into runs/demo
	$(BIN)/mcot demo

install: $(VENV)/.installed ## make .venv with the locked dependencies and this project

install-dev: $(VENV)/.installed-dev ## the same, and what the tests and checks need

test: install-dev ## all tests
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

check: lint types test ## everything that a pull request must pass

lint: install-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: install-dev
	$(BIN)/mypy

lock: install ## renew requirements/*.txt from pyproject.toml, to the newest versions that fit
	$(BIN)/python requirements/lock.py

benchmark-audit: install $(PEER_VENV)/.installed ## mcot audit beside OpusFilter, on MGSM with errors planted
	$(BIN)/python -m benchmarks.audit_quality $(MGSM) --peer $(PEER_VENV)/bin/python
	$(BIN)/python -m benchmarks.audit_speed --mgsm $(MGSM) --peer $(PEER_VENV)/bin/python

benchmark-peers: install-dev $(PEERS:%=benchmarks/peers/%/.venv/.installed) ## the checks' speed beside other tools'
	$(BIN)/python -m benchmarks.peer_speed --mgsm $(MGSM)

# One after another, so that none slows another; what needs a GPU, and curation_pays' hours, are run by themselves.
benchmark: ## every claim that needs no GPU, measured, and the page of them; takes hours
	$(MAKE) --jobs=1 benchmark-audit benchmark-peers
	$(BIN)/python -m benchmarks.contamination $(DATA)
	$(BIN)/python -m benchmarks.ctranslate_speed
	$(BIN)/python -m benchmarks.translation_speed
	$(BIN)/python -m benchmarks.ray_engine --mgsm $(MGSM)
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.evaluation_speed $(DATA)/mcot_outputs
	$(BIN)/python -m benchmarks.review_search
	$(BIN)/python -m benchmarks.page

clean: ## remove .venv and what tools leave; runs/ stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# A torch that is there already stays if it has the locked version: pip takes 2.13.0+cu130 for 2.13.0.
$(VENV)/.installed: requirements/lock.txt pyproject.toml | $(VENV)/bin/pip
	@echo "installing the locked dependencies into $(VENV); the first time this takes minutes"
	$(if $(TORCH_INDEX),@$(PIP) install --index-url "$(TORCH_INDEX)" "$$(grep '^torch==' requirements/lock.txt)")
	@$(PIP) install --requirement requirements/lock.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements/lock-dev.txt $(VENV)/.installed
	@echo "installing what the tests and checks need into $(VENV)"
	@$(PIP) install --requirement requirements/lock-dev.txt
	@touch $@

$(PEER_VENV)/.installed: benchmarks/opusfilter_peer/requirements.txt $(VENV)/.installed
	@echo "installing OpusFilter into $(PEER_VENV)"
	@$(BIN)/python -m venv --clear $(PEER_VENV)
	@$(PEER_VENV)/bin/python -m pip --quiet install --requirement $<
	@touch $@

# Each lists all that it needs: NeMo Curator's own list would bring torch, which nothing that is measured uses.
# OpusFilter's list names another.
benchmarks/peers/%/.venv/.installed: benchmarks/peers/%/requirements.txt $(VENV)/.installed
	@echo "installing $* into benchmarks/peers/$*/.venv"
	@$(BIN)/python -m venv --clear benchmarks/peers/$*/.venv
	@benchmarks/peers/$*/.venv/bin/python -m pip --quiet install --no-deps --requirement $<
	@touch $@

# pip comes last into a new environment, so a half-made one is made again.
$(VENV)/bin/pip:
	@for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        python=$$candidate; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "no Python >= 3.11 found$(if $(PYTHON), as $(PYTHON)): install one, or name it: make PYTHON=/path/to/python3.11" >&2; \
	    exit 1; \
	fi; \
	if ! "$$python" -m venv --clear $(VENV) >/dev/null 2>&1; then \
	    rm -rf $(VENV); \
	    version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	    echo "$$python can't make a virtual environment: install its venv module (on Debian and Ubuntu: apt-get install python$$version-venv)" >&2; \
	    exit 1; \
	fi
