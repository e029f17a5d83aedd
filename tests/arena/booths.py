"""What tests of the booth share: a clock that waits to be told, and looking at what was stored."""

from __future__ import annotations

import sqlalchemy as sa

from medilite.arena.booth import Shown
from medilite.arena.schema import metadata
from tests.arena.made import NOW

READING_S = 60.0


class Clock:
    """A clock that goes only when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def pairs_of(booth):
    with booth.store.database.read() as connection:
        return connection.execute(sa.select(metadata.tables["pairs"])).mappings().all()


def votes_of(booth):
    return list(booth.store.votes())


def drawn(booth, voter_id, clock) -> Shown:
    shown = booth.draw(voter_id)
    assert isinstance(shown, Shown)
    clock.wait(READING_S)
    return shown
