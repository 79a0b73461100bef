# `make demo` and `make test` set up all that they need; see environment/.
#
# PYTHON3=/path/to/python   the Python (3.11 or later) to build with
# TORCH="torch==... torchvision==..." TORCH_INDEX=https://...
#                           another build of torch, in an environment of its own
# ARGS="..."                passed on to the demo or to pytest

ENVIRONMENT = sh environment/run.sh
PYTHON = "$$($(ENVIRONMENT) python)"
TYPED = $(wildcard mmpose_occlusion/skeleton.py mmpose_occlusion/errors.py \
	mmpose_occlusion/occlusion mmpose_occlusion/metrics \
	mmpose_occlusion/benchmark environment)

export TORCH TORCH_INDEX FORCE_CUDA PYTHON3

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' Makefile

.PHONY: help demo test env print-python lint mypy format

demo: env ## train a small model, attack it, show what each hidden joint cost
	@$(PYTHON) tools/demo.py $(ARGS)

test: env ## the test suite
	@$(PYTHON) -m pytest $(ARGS)

env: ## the environment alone
	@$(ENVIRONMENT) build

print-python: ## the environment's interpreter
	@$(ENVIRONMENT) python

lint: env mypy ## ruff and mypy
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check

mypy: env
	@$(PYTHON) -m mypy $(TYPED)

format: env ## rewrite the code as ruff likes it
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m ruff format
