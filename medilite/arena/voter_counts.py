"""Counts for a voter: how others chose, and their own choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from medilite.arena.records import CHOICES, Choice, Contestant, Pair, Vote

_MIRRORED: dict[str, Choice] = {"left": "right", "right": "left"}


@dataclass
class OwnRow:
    """One voter's votes on one model: a tie is "equally good", `bad` is "both bad"."""

    model: str
    wins: int = 0
    ties: int = 0
    bad: int = 0
    losses: int = 0
    unsafe: int = 0

    @property
    def votes(self) -> int:
        """In how many of the votes the model was shown."""
        return self.wins + self.ties + self.bad + self.losses

    @property
    def score(self) -> float | None:
        """Share of the points: a win is 1, a tie or "both bad" one half; None without votes."""
        return (self.wins + (self.ties + self.bad) / 2) / self.votes if self.votes else None


@dataclass(frozen=True)
class OwnTable:
    """One voter's votes, model by model in the profile's order.

    `votes` is how many were given and not taken back, `earlier` how many of them
    showed a model that has been retrained since: those are in no row.
    """

    rows: tuple[OwnRow, ...]
    votes: int
    earlier: int


def own_table(votes: Iterable[Vote], here: Mapping[str, Contestant]) -> OwnTable:
    """Return one voter's table from their votes, the marked ones included."""
    rows = {contestant: OwnRow(model) for model, contestant in here.items()}
    given = earlier = 0
    for vote in votes:
        if vote.undone_at is not None:
            continue
        given += 1
        left, right = (rows.get(side.contestant) for side in (vote.pair.left, vote.pair.right))
        if left is None or right is None:
            earlier += 1
            continue
        choice = vote.ballot.choice
        for row, side, flagged in (
            (left, "left", vote.ballot.left_unsafe), (right, "right", vote.ballot.right_unsafe)
        ):  # fmt: skip
            row.unsafe += flagged
            if choice == "equal":
                row.ties += 1
            elif choice == "both_bad":
                row.bad += 1
            elif choice == side:
                row.wins += 1
            else:
                row.losses += 1
    return OwnTable(tuple(rows.values()), given, earlier)


def orient(pair: Pair, choices: Iterable[tuple[str, str]]) -> dict[Choice, int]:
    """Count (key of the left answer, choice) of votes on a pair's two answers, as the pair has them left and right."""
    counts: dict[Choice, int] = dict.fromkeys(CHOICES, 0)
    for left_key, choice in choices:
        here = choice if left_key == pair.left.key else _MIRRORED.get(choice, choice)
        counts[here] += 1  # type: ignore[index]
    return counts
