# `make demo` and `make test` build the environment that they need; see
# environment.py.
#
# PYTHON3=/path/to/python   the Python (3.11 or later) to build it with
# TORCH="torch==... torchvision==..." TORCH_INDEX=https://...
#                           another build of torch, in an environment of its own
# WORKERS=4                 processes of the test suite, 0 for this one alone
# ARGS="..."                passed on to the demo or to pytest

PYTHON = $$($(ENVIRONMENT))
ENVIRONMENT = $(BASE_PYTHON) environment.py
BASE_PYTHON = $(or $(shell for python in $(CANDIDATES); do \
	"$$python" -c '$(IS_RECENT)' 2>/dev/null && echo "$$python" && break; \
	done),$(error Python 3.11 or later is needed and none of these is one: \
	$(CANDIDATES); install it (Debian/Ubuntu: apt-get install python3 \
	python3-venv python3-dev) or name one with PYTHON3=/path/to/python))
CANDIDATES = $(or $(PYTHON3),python3 python3.11 python3.12 python3.13 \
	python3.14)
IS_RECENT = import sys; sys.exit(sys.version_info < (3, 11))

WORKERS ?= 2
# Everything but the layer that faces MMPose.
TYPED = environment.py $(wildcard $(addprefix mmpose_occlusion/, \
	skeleton.py errors.py files.py occlusion metrics benchmark cli \
	visualization))

export TORCH TORCH_INDEX

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' Makefile

.PHONY: help demo test test-classic smoke env print-python docs lint mypy \
	format

demo: env ## train a small model, attack it, show what each hidden joint cost
	@"$(PYTHON)" tools/demo.py $(ARGS)

test: env ## the test suite
	@"$(PYTHON)" -m pytest --numprocesses $(WORKERS) --dist worksteal \
		$(ARGS)

test-classic: ## the suite on Python 3.10 and OpenMMLab's own packages
	@sh tests/classic/run.sh $(or $(PYTHON310),python3.10) $(ARGS)

smoke: env ## the wheel in an environment without MMPose
	@sh tests/smoke/run.sh "$(PYTHON)"

env: ## the environment alone
	@$(ENVIRONMENT) > /dev/null

print-python: ## the environment's interpreter
	@$(ENVIRONMENT)

docs: env ## the pages as a site, in work_dirs/site
	@NO_MKDOCS_2_WARNING=1 "$(PYTHON)" -m mkdocs build --strict

lint: env mypy ## ruff and mypy
	@"$(PYTHON)" -m ruff check
	@"$(PYTHON)" -m ruff format --check

mypy: env
	@"$(PYTHON)" -m mypy $(TYPED)

format: env ## fix and format the code with ruff
	@"$(PYTHON)" -m ruff check --fix
	@"$(PYTHON)" -m ruff format
