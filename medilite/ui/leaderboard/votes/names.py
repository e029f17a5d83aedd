"""Contestants with their labels and colours: a model that was trained anew stands beside what it was before."""

from __future__ import annotations

from html import escape

from medilite.arena.ratings import Interval
from medilite.arena.records import Contestant
from medilite.arena.results import Results
from medilite.models import ModelSpec, Profile
from medilite.ui.compare.cards import colours, name_html
from medilite.ui.leaderboard.board.view import number_text

EARLIER_DIGITS = 7
"""So many digits of its hash tell one training of a model from another, as of a commit."""


class Names:
    """What contestants are called on the page."""

    def __init__(self, profile: Profile, results: Results) -> None:
        self._specs = {spec.id: spec for spec in profile.models}
        self._current = set(results.current.values())

    def label(self, contestant: Contestant) -> str:
        """Return a contestant's label in words."""
        spec = self._specs.get(contestant.model)
        return f"{spec.label if spec else contestant.model}{self._note(contestant)}"

    def html(self, contestant: Contestant) -> str:
        """Return a contestant's name as everywhere, an earlier training with a note."""
        spec = self._specs.get(contestant.model)
        name = name_html(spec) if spec else escape(contestant.model)
        note = self._note(contestant)
        return f'{name}<span class="ml-unit">{escape(note)}</span>' if note else name

    def style(self, contestant: Contestant) -> str:
        """Return the style attribute with a contestant's colours, "" for a model that the profile no longer has."""
        spec: ModelSpec | None = self._specs.get(contestant.model)
        return colours(spec) if spec else ""

    def _note(self, contestant: Contestant) -> str:
        return "" if contestant in self._current else f" (earlier, {contestant.sha256[:EARLIER_DIGITS]})"


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share as per cent, a dash for none."""
    return "–" if share is None else f"{number_text(100 * share, digits)} %"


def between(interval: Interval, digits: int = 0, factor: float = 1) -> str:
    """Return the ends of an interval: "970 to 1,030"."""
    return f"{number_text(factor * interval.low, digits)} to {number_text(factor * interval.high, digits)}"


def votes_word(votes: int) -> str:
    """Return "1 vote", "1,234 votes"."""
    return f"{votes:,} vote{'' if votes == 1 else 's'}"
