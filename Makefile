# Each target sets itself up: it needs Python 3.11 or later and make.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := $(shell command -v uv 2>/dev/null)

.PHONY: demo test test-rag test-limits test-browser record soak bench bench-quick compare clients mutants docs check format clean test-crash

# From a folder of documents to a cited answer, in both frameworks: on the emulator, or
# the service where there is a key.
demo: $(READY)
	$(BIN)/python examples/demo.py

# One worker a core; the network is blocked but for loopback.
test: $(READY)
	$(BIN)/pytest -n auto

# Two processes that share a limit of 600 requests and 60,000 tokens a minute, for 20 s.
test-limits: $(READY)
	MODELSTUDIO_LIMIT_SECONDS=20 $(BIN)/pytest -s tests/end_to_end/test_limits.py -k two_processes

# Kills indexing at random moments, among 2,000 documents, in both frameworks.
KILLS ?= 5
test-rag: $(READY)
	TQDM_DISABLE=1 $(BIN)/python -m tests.rag.kills --kills $(KILLS)

# The web example and the site in a real browser, Debian's chromium and chromium-driver.
test-browser: docs
	MODELSTUDIO_BROWSER=1 $(BIN)/pytest tests/documentation/test_browser.py

# A run of batches is killed (SIGKILL) at random moments, and continued each time.
CRASHES ?= 20
test-crash: $(READY)
	MODELSTUDIO_KILLS=$(CRASHES) $(BIN)/pytest tests/core/batches/test_kills.py

# From the live service where DASHSCOPE_API_KEY is set, else from the emulator.
record: $(READY)
	$(BIN)/python -m tests.support.cassettes

# Hundreds of streams at once, one in ten failing; then threads, loops, forks and
# interrupts at once: nothing is lost, leaked or delivered to another caller.
SECONDS ?= 300
soak: $(READY)
	$(BIN)/python -m tests.faults.soak --seconds $(SECONDS) --record
	$(BIN)/python -m tests.faults.soak_mixed --seconds $(SECONDS) --record
	$(BIN)/python -m tests.faults.document

# Compared with other clients, each in an environment of its own below .benchmarks/.
bench: $(READY)
	$(BIN)/python -m benchmarks --write

bench-quick: $(READY)
	$(BIN)/python -m benchmarks --quick

compare: $(READY)
	$(BIN)/python -m comparison

# Other clients, each in an environment of its own below .benchmarks/.
clients: $(READY)
	$(BIN)/python -m clients

# Small changes to the core, which a test should notice; it prints those that none did.
SAMPLE ?= 40
SEED ?= 0
JOBS ?= 2
mutants: $(READY)
	$(BIN)/python -m tests.mutants --sample $(SAMPLE) --seed $(SEED) --jobs $(JOBS)

# The site in build/site. Broken links, links to no place, pictures without a text and
# pages that nothing links to are errors.
docs: $(READY)
	$(BIN)/python -m documentation

# examples/bulk_ray.py on the emulator: killed and resumed, and its rows a second. In an
# environment of its own below .benchmarks/; about five minutes, with 4 logical CPUs.
.PHONY: test-ray
test-ray: $(READY)
	$(BIN)/python -m tests.ray_data

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(READY): pyproject.toml constraints.txt
ifdef UV
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[all]' --group dev
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all]' --group dev
endif
	touch $@

clean:
	rm -rf $(VENV) .benchmarks build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# The oldest and the newest versions of what is used, into docs/matrix.md. With ROWS
# (such as ROWS="oldest newest") only these, without the page.
.PHONY: matrix live
ROWS ?=
matrix: $(READY)
	$(BIN)/python -m tests.matrix $(if $(ROWS),--rows $(ROWS),--write)

# The same scenarios with the real service, for whoever has a key; it says first what
# that uses, and asks. LIVE holds options, such as LIVE="--yes --region frankfurt".
LIVE ?=
live: $(READY)
	$(BIN)/python -m tests.live $(LIVE)
