"""Install PostgreSQL's server and PgBouncer, which the tests of the votes' store use.

    .venv/bin/python scripts/postgres.py

It installs Debian's packages as root (or by a sudo that asks no password). Where
that can't be done it says what to do; that is an error only in CI.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.postgres import POOL_REMEDY, REMEDY, find_pool, find_postgres
from scripts.system import apt_install


def remedies() -> list[str]:
    """Return what to do about each of the two that isn't here."""
    return ([] if find_postgres() else [REMEDY]) + ([] if find_pool() else [POOL_REMEDY])


def main() -> int:
    """Install what isn't here; return 1 where something is still missing and that is an error (CI), else 0."""
    if remedies():
        apt_install("the tests of the votes' store", "postgresql", "pgbouncer")
    missing = remedies()
    if missing:
        print("\n".join(missing), file=sys.stderr)
    return 1 if missing and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
