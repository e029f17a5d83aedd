"""Contestants with their labels and colours; each training of a model is a contestant of its own."""

from __future__ import annotations

from dataclasses import dataclass

from medilite.arena.records import Contestant
from medilite.arena.results import Results
from medilite.models import ModelSpec, Profile
from medilite.ui.leaderboard.chart import MUTED

EARLIER_DIGITS = 7
"""Digits of a hash that identify a training of a model, as with a commit."""


@dataclass(frozen=True, slots=True)
class Named:
    """A contestant on the page; `spec` is None for a model that the profile no longer has."""

    model: str
    spec: ModelSpec | None
    note: str

    @property
    def label(self) -> str:
        """The contestant's label in words."""
        return f"{self.spec.label if self.spec else self.model}{self.note}"

    @property
    def colour(self) -> str:
        """The contestant's colour on a light page."""
        return self.spec.colour if self.spec else MUTED


class Names:
    """The names of contestants on the page."""

    def __init__(self, profile: Profile, results: Results) -> None:
        self._specs = {spec.id: spec for spec in profile.models}
        self._current = set(results.current.values())

    def of(self, contestant: Contestant) -> Named:
        """Return a contestant's name, with a note on an earlier training."""
        note = "" if contestant in self._current else f" (earlier, {contestant.sha256[:EARLIER_DIGITS]})"
        return Named(contestant.model, self._specs.get(contestant.model), note)
