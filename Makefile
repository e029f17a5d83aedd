# Two commands are enough: `make app` and `make test`. `make help` lists the rest.

VENV ?= .venv
PY := $(VENV)/bin/python
export VENV

# Two workers fit a laptop.
PYTEST_ARGS ?= -n 2 --dist loadgroup
FAST := not model and not browser and not slow
# Where `make data` takes MedQuAD from: hub, kaggle, or the path of a CSV, a folder or an archive.
SOURCE ?= hub
# A folder with medquad-xml.tar.xz, for checks that need the collection.
MEDQUAD ?= $(or $(MEDILITE_MEDQUAD),../shared/medquad)
# Where `make space` puts a Space's files and a fresh environment, and the port that it serves on.
SPACE ?= build/space
SPACE_PORT ?= 7860

.DEFAULT_GOAL := help
.PHONY: help app test check lint fetch space data dashboard leaderboard leaderboard-check screenshots lock clean env-app env-train env-dev browser postgres ready

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

app: fetch  ## set everything up and open the app
	@# A browser is opened where a screen is; on a server the address is printed all the same.
	@if [ "$$(uname)" = Darwin ] || [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then \
		export MEDILITE_OPEN_BROWSER="$${MEDILITE_OPEN_BROWSER:-1}"; \
	fi; exec $(PY) app.py

test: ready  ## set everything up and run all tests; THOROUGH=1 does more of each
	$(PY) -m pytest $(PYTEST_ARGS)

ready: env-dev browser postgres
	@$(PY) -m medilite fetch
	@# Compiles the engine's code, once: the tests' workers and servers would each do it at the same time.
	@$(PY) -m medilite ask --max-new-tokens 2 "What is asthma?" >/dev/null

check: lint  ## before each commit: lint, types, import rules and the fast tests
	$(PY) -m pytest $(PYTEST_ARGS) -m "$(FAST)"

lint: env-dev  ## lint, format and types alone
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache

fetch: env-app  ## get the weights of the base (once)
	@$(PY) -m medilite fetch

space:  ## put together what a Space gets, and run it in a fresh environment as a Space would
	@rm -rf "$(SPACE)/env"
	@VENV="$(SPACE)/env" sh scripts/setup.sh requirements.txt
	@"$(SPACE)/env/bin/python" scripts/space.py --out "$(SPACE)" --port $(SPACE_PORT)

data: env-train  ## prepare MedQuAD under data/medquad, from SOURCE=hub, kaggle or a path
	$(PY) -m training.prepare_medquad --source "$(SOURCE)" --out data/medquad

leaderboard: env-train fetch  ## answer the test questions, score and compare: up to an hour; goes on where it was stopped
	$(PY) -m eval.generate
	$(PY) -m eval.leaderboard

leaderboard-check: env-train  ## recompute the leaderboard from its answers; of topic similarity a sample
	@# What needs MedQuAD's references is checked where they are at hand.
	@if [ ! -f data/medquad/manifest.json ] && [ -f "$(MEDQUAD)/medquad-xml.tar.xz" ]; then \
		$(PY) -m training.prepare_medquad --source "$(MEDQUAD)/medquad-xml.tar.xz" --out data/medquad; \
	fi
	$(PY) -m eval.leaderboard --check

dashboard: env-train  ## look at the curves of training runs, also while they train (Trackio)
	TRACKIO_DIR="$${TRACKIO_DIR:-$(CURDIR)/runs/trackio}" $(VENV)/bin/trackio show

screenshots: env-dev browser  ## take the README's screenshots anew
	@$(PY) -m medilite fetch
	$(PY) scripts/screenshots.py

lock: env-dev  ## pin every package of the app with hashes, in requirements.lock
	@$(PY) scripts/lock.py

clean:  ## remove .venv and the tools' caches; data, runs and fetched weights stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .gradio
	find medilite training eval bench tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# Each makes the environment if need be and installs a file's packages if it changed; else it returns at once.
env-app:
	@sh scripts/setup.sh requirements.txt

env-train:
	@sh scripts/setup.sh requirements-train.txt

env-dev:
	@sh scripts/setup.sh requirements-dev.txt

browser: env-dev
	@$(PY) scripts/browser.py

postgres: env-dev
	@$(PY) scripts/postgres.py
