PYTHON ?= python3
VENV := .venv/bin

.PHONY: help setup run test check format clean

help: ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## everything Offhand needs, into .venv and .models (a few minutes once, then under a second)
	@$(PYTHON) packaging/bootstrap.py

run: setup ## the app; without a display a demonstration in the terminal
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then $(VENV)/python main.py; else \
	$(VENV)/python main.py demo; fi

check: setup ## ruff, mypy and the fast tests
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/python -m pytest -q

test: ## all tests, those on a screen and the slow ones included; what CI runs
	@$(PYTHON) packaging/bootstrap.py --tests
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/python -m pytest -m "" --durations=15

format: setup ## put the sources into shape
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

clean: ## remove what the set-up and the tests made
	rm -rf .venv .models build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
