"""Stores in SQLite and in PostgreSQL, and what to put into them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.postgres import REMEDY, find_postgres, new_database, running_postgres
from medilite.arena.booth import Booth
from medilite.arena.store import Store
from medilite.arena.votes import Votes
from tests.arena.booths import Clock
from tests.arena.made import MANY
from tests.conftest import do_without
from tests.support.banks import write_bank


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of these tests' own; skipped (failed in CI) where there is none."""
    programs = find_postgres() or do_without(REMEDY)
    with running_postgres(programs) as server:
        yield server.url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a fresh store of each kind is."""
    if request.param == "sqlite":
        return str(tmp_path / "data" / "votes.db")
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def open_store() -> Iterator[Callable[..., Store]]:
    """Return a function that opens a store; all are closed after the test."""
    opened: list[Store] = []

    def start(target: str | Path, timeout_s: float = 10.0) -> Store:
        opened.append(Store(target, timeout_s))
        return opened[-1]

    yield start
    for store in opened:
        store.database.close()


@pytest.fixture
def store(address: str, open_store: Callable[..., Store]) -> Store:
    """A fresh, empty store of each kind."""
    return open_store(address)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_booth(lite, clock, address, tmp_path):
    """Return a function that opens a booth on this test's database; all are closed afterwards."""
    opened = []

    def start(votes: Votes | None = None, **options) -> Booth:
        given = {
            "folder": tmp_path / "bank", "clock": clock, "rng": random.Random(0),
            "aside": lambda work: work(), "limits": MANY, **options,
        }  # fmt: skip
        opened.append(Booth(lite, votes or Votes(address), **given))
        return opened[-1]

    yield start
    for booth in opened:
        booth.votes.close()


@pytest.fixture
def booth(make_booth, lite, tmp_path) -> Booth:
    write_bank(tmp_path / "bank", lite)
    return make_booth()
