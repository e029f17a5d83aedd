"""Write requirements.lock: every package of the app at one version, with the SHA-256 of each of its files.

    .venv/bin/python scripts/lock.py

uv resolves requirements.txt against PyPI for Python 3.11 and 3.12 and all
systems at once. Torch and what it brings for GPUs stay out: its builds (CPU,
CUDA, a Space's own) carry one version number and differ in every file, and only
one of them is on PyPI. Which one fits is decided where it is installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE, LOCK = ROOT / "requirements.txt", ROOT / "requirements.lock"
INDEX = "https://pypi.org/simple"
PYTHON = "3.11"
"""The oldest Python that the lock has to hold for; uv resolves for every later one too."""

LEFT_OUT = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
"""Torch, and what only torch asks for."""

HEADER = """\
# Made by `make lock` from requirements.txt; change that file, not this one.
# Torch is left out, for its builds differ from machine to machine: install one first, then
#   pip install --require-hashes -r requirements.lock
"""


def main() -> int:
    """Write the lock; return an exit code."""
    everything = names(resolve([]))
    left_out = sorted(name for name in everything if LEFT_OUT.fullmatch(name))
    LOCK.write_text(HEADER + resolve(left_out), encoding="utf-8")
    print(f"{LOCK.name}: {len(everything) - len(left_out)} packages; left out: {', '.join(left_out)}")
    return 0


def resolve(without: list[str]) -> str:
    """Return what uv resolves, without these packages. Raises CalledProcessError if uv finds no way."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", SOURCE.name, "--universal", "--python-version", PYTHON),
        *("--generate-hashes", "--no-header", "--quiet", "--no-config", "--default-index", INDEX),
        *(part for name in without for part in ("--no-emit-package", name)),
    ]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def names(lock: str) -> set[str]:
    """Return the names of the packages in a lock."""
    return {match[1] for match in re.finditer(r"^([a-z0-9][a-z0-9.-]*)==", lock, re.M)}


if __name__ == "__main__":
    sys.exit(main())
