.PHONY: fast test lint format bench

fast: ## checks and the tests that need neither root nor docker
	bin/test --fast

test: ## everything; wants root on Debian or Ubuntu
	bin/test

lint: .venv ## layout, lint and types
	.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy

format: .venv ## lay the code out as `make lint` wants it
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: .venv ## start-up of commands, as ratios to bare programs
	.venv/bin/python bench/startup.py

.venv:
	bin/test --fast tests/test_architecture.py
