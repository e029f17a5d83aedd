"""Shared by tests of the booth: a clock that only they move, what was stored, and live pairs without a model."""

from __future__ import annotations

import sqlalchemy as sa

from medilite.arena.booth import Shown
from medilite.arena.schema import metadata
from medilite.records import RowStep, Step
from tests.arena.made import NOW

READING_S = 60.0


class Clock:
    """A clock that moves only by `wait`."""

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


OWN_QUESTION = "Why does my left knee hurt when I climb stairs?"


def live(booth, clock, *rows, keep=False, voter_id=None):
    """Run a live pair whose two answers come in these steps."""
    run = booth.begin_live(voter_id or booth.welcome(None), OWN_QUESTION, keep, dict.fromkeys(booth.here, True))
    booth.advance(run, Step((RowStep("", 0), RowStep("", 0)), waiting=1))
    clock.wait(5)
    for step in rows:
        booth.advance(run, Step(step))
        clock.wait(10)
    return run


def follow(booth, clock, voter_id, run, *rows, keep=False):
    """Ask both models of a live pair a further question, whose answers come in these steps."""
    further = booth.follow_live(run, voter_id, "How long?", keep, dict.fromkeys(booth.here, True))
    for step in rows:
        booth.advance(further, Step(step))
        clock.wait(10)
    return further


def row(text, stopped=None, error=None):
    return RowStep(text, 1, stopped, error)


WHOLE = (
    (row("Rest the knee. "), row("See a doctor ")),
    (row("Then move it again.", "end"), row("soon, and rest until then.", "length")),
)
