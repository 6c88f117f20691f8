# make demo: install, then train, evaluate and predict with all three pipelines; make test: install, then check everything.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUNS := runs/demo
MULTICNN := $(BIN)/multicnn

.PHONY: demo test test-all lint install clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: install
	$(MULTICNN) train image sample:digits --output $(RUNS)/digits --overwrite
	$(MULTICNN) evaluate $(RUNS)/digits sample:digits
	$(MULTICNN) predict $(RUNS)/digits sample:digits --format jsonl | head -n 3
	$(MULTICNN) train audio sample:tones --output $(RUNS)/tones --overwrite --time-budget 90s
	$(MULTICNN) evaluate $(RUNS)/tones sample:tones
	$(MULTICNN) predict $(RUNS)/tones sample:tones --format jsonl | head -n 3
	$(MULTICNN) train text sample:docstrings --output $(RUNS)/docstrings --overwrite
	$(MULTICNN) evaluate $(RUNS)/docstrings sample:docstrings
	echo "Return the size of a file, in bytes." | $(MULTICNN) predict $(RUNS)/docstrings -
	@echo "Done: three models are in $(RUNS). Try: $(MULTICNN) info $(RUNS)/digits"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-cache

# One thread a worker: two test processes with two threads each would only be in each other's way.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadgroup -m "not slow"

# What came of every architecture goes into the catalogue's page.
test-all: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadgroup --contract-table docs/contract.csv; \
	status=$$?; $(BIN)/python -m multicnn.catalogue_pages; exit $$status

clean:
	rm -rf $(VENV) runs build dist *.egg-info
