# One command per intent; each makes what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
APT := chromium fonts-noto-cjk tesseract-ocr tesseract-ocr-chi-sim poppler-utils libreoffice-writer-nogui php-cli

.PHONY: setup setup-tests run test lint fmt bench clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

setup-tests: $(VENV)/.installed-tests

$(VENV)/.installed-tests: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	$(MAKE) --no-print-directory apt npm
	touch $@

.PHONY: apt
apt:
	@{ command -v chromium && command -v tesseract && command -v pdftotext && command -v soffice && command -v php; } >/dev/null || { command -v apt-get >/dev/null && \
	  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(APT) >/dev/null) || \
	  echo "could not install $(APT): install them by hand"; }

# For two tests alone: that the widget's file comes from its sources, and axe-core.
.PHONY: npm
npm:
	@command -v npm >/dev/null && cd ragsvc/widget && npm ci --silent --no-audit --no-fund || \
	  echo "no npm packages for the widget: its tests of accessibility and of the build are skipped"

run: setup
	$(BIN)/ragsvc demo

test: setup-tests lint
	mkdir -p build
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --junitxml=build/junit.xml

lint: setup-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: setup-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --editable . --requirement tests/bench/requirements.txt
	.venv-bench/bin/python -m tests.bench

clean:
	rm -rf build $(VENV) .venv-bench
