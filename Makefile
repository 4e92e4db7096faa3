# A fresh machine needs Python 3.11 or newer, make and a package index; nothing else.
.PHONY: setup demo test check lab hub hub-times build book margins mutants strangers hostile hostile-costs bench clean pages lint
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
# The sheets of `make demo`: one of each kind, so that it stays under two minutes.
DEMO := 01-autodiff 02-likelihood 04-normals 05-constraints 08-elbo 09-map 10-priors 13-hierarchy
READY := .venv/.ready
# The hub has an environment of its own that looks into the locked one: nothing is added to that.
HUB := .cache/hub
PORT ?= 8765
# What course/grading is asked; the floor stands in pyproject.toml.
COVERED := --cov=course.grading --cov-report= --cov-fail-under=0

help:
	@echo "make demo     simulate a class, grade it, show the grades"
	@echo "make lab      open JupyterLab on your own copy of the sheets"
	@echo "make hub      a JupyterHub on this machine: submit a sheet, read the judge's words"
	@echo "make test     run everything"
	@echo "make check    the fast loop: lint, types, unit tests"
	@echo "make build    build the sheets that changed"
	@echo "make book     make a site of the sheets, without answers, and of the pages of docs/"
	@echo "make pages    make the pictures and pages that show the project itself"
	@echo "make margins  measure the margins of every check (long), write docs/margins.md"
	@echo "make mutants  try small edits of right answers on every check (long), write docs/mutants.md"
	@echo "make strangers  try answers of readers who saw no check, write docs/strangers.md"
	@echo "make hostile  hand every attack to stock nbgrader and grade it here (long), write docs/hostile.md"
	@echo "make hostile-costs  grade a class with every attack in it: seconds, memory (long)"
	@echo "make hub-times  measure the time from Submit to feedback, write it into docs/hub.md"
	@echo "make bench    measure the speed of grading (long), write docs/benchmarks.md"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)
	$(BIN)/course simulate --root demo --students 8 --seed 1 $(DEMO)
	@if $(BIN)/python -c "import sys; from course.grading.cage.command import works; sys.exit(bool(works()))"; then \
		$(BIN)/course grade --root demo; \
	else \
		echo "No cage on this machine (course doctor says why); the simulated class can be trusted."; \
		$(BIN)/course grade --root demo --no-cage; \
	fi
	@echo
	@echo "Where to look next, in the folder demo/:"
	@echo "  submitted/grace/          what a student handed in, sheet by sheet"
	@echo "  autograded/grace/         result.json, and the notebook with the verdicts"
	@echo "  feedback/grace/           what the student gets to read"
	@echo "  simulated.json            what each answer deserves, by the bank"
	@echo "  cd demo && ../.venv/bin/nbgrader export    the gradebook is nbgrader's own"

lab: $(READY)
	$(BIN)/python -m helpers.desk $(LAB)

$(HUB)/.ready: $(READY) hub/requirements.txt
	rm -rf $(HUB)/venv
	$(BIN)/python -m venv --without-pip $(HUB)/venv
	$(BIN)/python -c "import sysconfig; print('import site; site.addsitedir(%r)' % sysconfig.get_path('purelib'))" \
		> $$($(HUB)/venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/locked.pth
	$(HUB)/venv/bin/python -m pip install --quiet -r hub/requirements.txt -c requirements.lock
	npm install --silent --no-fund --no-audit --prefix $(HUB)/proxy configurable-http-proxy@5.3.0
	@touch $@

hub-times: $(HUB)/.ready
	PYTHONPATH=.:tests $(BIN)/python -m support.hub_times

hub: $(HUB)/.ready
	$(HUB)/venv/bin/python hub/start.py --port $(PORT)

build: $(READY)
	$(BIN)/course build

book: $(READY)
	$(BIN)/python -m course.authoring.book

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not browser" tests

# Every source is executed once, by nbval; the tests take from there what they need. Tests that count
# processes, kill or wait for limits come last, alone on the machine. All night: make test ASK=--all-sheets
test: lint
	$(BIN)/python -m pytest -p tests.nbval.keep --rootdir=. -c tests/nbval/nbval.ini source
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not alone" $(COVERED) tests $(ASK)
	$(BIN)/python -m pytest -m alone $(COVERED) --cov-append tests $(ASK)
	$(BIN)/coverage report
	@$(BIN)/python -c "from course.doctor import chromium; chromium() or print('Not run: the browser test, since no Chromium is installed (course doctor says how).')"
	@$(BIN)/python -c "from course.doctor import postgresql; postgresql() or print('Not run: the test of a gradebook on PostgreSQL, which is not installed (course doctor says how).')"
	@test -e $(HUB)/.ready || echo "Not run: the test of a hub, since no JupyterHub is installed (make hub installs one)."

pages: $(READY)
	$(BIN)/python docs/pages.py

margins: $(READY)
	$(BIN)/python -m course.proving.margins 200

mutants: $(READY)
	$(BIN)/python -m course.proving.mutants

strangers: $(READY)
	$(BIN)/python -m course.proving.strangers

# A word or more in ATTACKS asks for those groups or attacks alone: make hostile ATTACKS="values"
hostile: $(READY)
	$(BIN)/python tests/support/attacks/against_stock.py $(ATTACKS)

hostile-costs: $(READY)
	PYTHONPATH=.:tests $(BIN)/python -m support.attacks.costs

bench: $(READY)
	$(BIN)/python -m course.proving.bench
	PYTHONPATH=.:tests $(BIN)/python -m support.thousand

clean:
	rm -rf .venv .cache demo
