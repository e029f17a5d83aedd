"""Install PostgreSQL's server, which the tests of the votes' store use.

    .venv/bin/python scripts/postgres.py

It installs Debian's package as root (or by a sudo that asks no password). Where
that can't be done it says what to do; that is an error only in CI.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.postgres import REMEDY, find_postgres
from scripts.system import apt_install


def install_postgres() -> Path | None:
    """Install PostgreSQL if it isn't here; return the folder of its programs, or None if that can't be done."""
    if found := find_postgres():
        return found
    apt_install("the tests of the votes' store", "postgresql")
    return find_postgres()


def main() -> int:
    """Install PostgreSQL if need be; return 1 where a missing one is an error (CI), else 0."""
    if install_postgres():
        return 0
    print(REMEDY, file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
