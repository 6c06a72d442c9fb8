PY := .venv/bin/python

run: .venv/ready  ## set up, then lint the fixtures
	-$(PY) -m lucid_audit lint fixtures/dockerfiles/lucid
test: .venv/ready lint  ## everything fast: types, style, layers, tests
	$(PY) -m pytest -n 2 -m "not fuzz and not e2e"
lint: .venv/ready  ## ruff, mypy, import-linter
	$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy && .venv/bin/lint-imports --no-cache
fuzz: .venv/ready  ## long generated runs against BuildKit's parser
	$(PY) -m pytest -m fuzz
explore: .venv/ready  ## every property test with new examples, ten times as many
	$(PY) -m pytest -n 2 -m "hypothesis and not fuzz and not e2e" --hypothesis-profile=explore
e2e: .venv/ready .venv/e2e  ## real programs: pre-commit, buildah, the built wheel
	$(PY) -m pytest -m e2e
bench: .venv/ready .venv/bench  ## speed against hadolint, one run; writes bench/RESULTS.md
	$(PY) bench/run.py
startbench: .venv/ready .venv/e2e  ## what the audit says of images against a real engine; writes bench/RESULTS.md
	PYTHONPATH=. $(PY) bench/starts.py
docs: .venv/ready  ## regenerate docs/rules, docs/cli.md and the screen in the README
	$(PY) -m tools.docs docs
golden: .venv/ready  ## rewrite fixtures' findings.txt; read the difference before you commit it
	$(PY) -m tests.test_fixtures
format: .venv/ready
	$(PY) -m ruff check --fix . && $(PY) -m ruff format .

.venv/ready: pyproject.toml setup.py
	python3 -m venv .venv && .venv/bin/pip install -q -e ".[dev]" && touch $@
.venv/e2e .venv/bench: .venv/ready
	.venv/bin/pip install -q -e ".[$(@F)]" && touch $@
.PHONY: run test lint fuzz explore e2e bench startbench docs golden format
