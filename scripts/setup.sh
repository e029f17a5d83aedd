#!/bin/sh
# Make the virtual environment if need be, then install a requirements file into it.
# usage: [VENV=.venv] [PYTHON=python3.12] sh scripts/setup.sh [requirements.txt]
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'

# Prints the first Python that fits. A name on the PATH proves nothing (pyenv's stand-ins fail when run), so each is run.
find_python() {
    for candidate in "${PYTHON:-python3}" python3.12 python3.11 python; do
        if "$candidate" -c "$fits" >/dev/null 2>&1; then
            echo "$candidate"
            return
        elif [ -n "${PYTHON:-}" ]; then
            echo "PYTHON=$PYTHON can't be used: it doesn't run, or is not Python 3.11 or 3.12." >&2
            return 1
        fi
    done
    echo "No Python 3.11 or 3.12 was found (python3 here: $(python3 --version 2>&1 | head -n 1))." >&2
    echo "Install one (Debian, Ubuntu: apt install python3.12 python3.12-venv; macOS: brew install python@3.12)," >&2
    echo "or name one: make app PYTHON=/path/to/python3.12" >&2
    return 1
}

make_venv() {
    python=$(find_python) || exit 1
    echo "Making $venv with $("$python" --version)"
    if ! "$python" -m venv --clear "$venv"; then
        echo "$python can't make a virtual environment. On Debian or Ubuntu: apt install python3-venv; then try again." >&2
        exit 1
    fi
}

# A pip that is half written can be imported.
pip_runs() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

if ! "$venv/bin/python" -c '' >/dev/null 2>&1; then
    # Absent, or its Python has gone.
    make_venv
elif ! "$venv/bin/python" -c "$fits"; then
    echo "$venv has $("$venv/bin/python" --version), and MediLite needs Python 3.11 or 3.12: remove it (make clean)" \
        "and try again." >&2
    exit 1
elif ! pip_runs; then
    # Made by a tool that leaves pip out; or interrupted, and over a half-written pip ensurepip may fail or do nothing.
    "$venv/bin/python" -m ensurepip --upgrade >/dev/null 2>&1 && pip_runs || make_venv
fi

exec "$venv/bin/python" scripts/install.py "${1:-requirements.txt}"
