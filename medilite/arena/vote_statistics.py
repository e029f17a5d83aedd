"""Statistics of votes: counts, who beat whom, votes over time, agreement with measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from medilite.arena.bank import Bank
from medilite.arena.drawing import Opponents
from medilite.arena.fit import LEFT, RIGHT, TIE, Design, Ints, covariance, fit
from medilite.arena.marks import CROWDED
from medilite.arena.ratings import Interval, Ratings, Strengths
from medilite.arena.records import UNDONE, Contestant
from medilite.arena.table import VoteTable

HOUR_S, DAY_S = 3600.0, 86_400.0
STEPS_S = (HOUR_S, 6 * HOUR_S, DAY_S, 7 * DAY_S, 28 * DAY_S, 364 * DAY_S)
"""Lengths of the periods that votes over time may be counted in."""

MOST_PERIODS = 60

FEWEST_MODELS = 3
"""Least models for a rank correlation: two can only be in one order or the other, which says nothing."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many votes were given and counted, and why the others were left out.

    `marked` counts a vote with two marks under both, so it may add up to more
    than were left out; a vote that was taken back is counted as that alone.
    `live` are on visitors' own questions, `followed` of these after follow-ups.
    """

    given: int
    counted: int
    undone: int
    marked: Mapping[str, int]
    live: int
    followed: int

    @property
    def left_out(self) -> int:
        """How many votes don't count, for any reason."""
        return self.given - self.counted


def count(table: VoteTable) -> Counts:
    """Return the public counts of all votes of a table."""
    by_reason = dict(zip(table.reasons, np.bincount(table.left_out, minlength=len(table.reasons)), strict=True))
    marked: dict[str, int] = {}
    for reason, votes in by_reason.items():
        for mark in reason.split(",") if reason and reason != UNDONE else ():
            marked[mark] = marked.get(mark, 0) + int(votes)
    # Votes that count in part are counted as the sum of their parts.
    counted = table.counted.size
    marked[CROWDED] = int(by_reason.get("", 0)) - counted
    return Counts(
        given=len(table),
        counted=counted,
        undone=int(by_reason.get(UNDONE, 0)),
        marked={mark: votes for mark, votes in marked.items() if votes},
        live=int(table.live.sum()),
        followed=int((table.turns > 1).sum()),
    )


@dataclass(frozen=True)
class Matrix:
    """Who beat whom: `wins[i, j]` votes for i against j, `ties[i, j]` for neither."""

    contestants: tuple[Contestant, ...]
    wins: Ints
    ties: Ints

    def votes(self, i: int, j: int) -> int:
        """Return how many votes there are on two."""
        return int(self.wins[i, j] + self.wins[j, i] + self.ties[i, j])

    def score(self, i: int, j: int) -> float | None:
        """Return i's share of the points against j, a tie counting half for each; None without votes."""
        votes = self.votes(i, j)
        return float(self.wins[i, j] + self.ties[i, j] / 2) / votes if votes else None


def win_matrix(table: VoteTable) -> Matrix:
    """Return who beat whom in the counted votes."""
    counted = table.counted
    counted = counted.where(~counted.both_bad)
    size = len(counted.contestants)

    def cells(first: Ints, second: Ints, votes: np.ndarray) -> np.ndarray:
        return np.bincount((first * size + second)[votes], counted.weight[votes], size * size).reshape(size, size)

    left, right, outcome = counted.left, counted.right, counted.outcome
    on_left, on_right, tied = outcome == LEFT, outcome == RIGHT, outcome == TIE
    wins = np.rint(cells(left, right, on_left) + cells(right, left, on_right)).astype(np.int64)
    ties = np.rint(cells(left, right, tied) + cells(right, left, tied)).astype(np.int64)
    return Matrix(counted.contestants, wins, ties)


@dataclass(frozen=True, slots=True)
class Period:
    """Votes from `start`, in seconds since 1970 (UTC), for `length_s`."""

    start: float
    length_s: float
    counted: int
    left_out: int


def over_time(table: VoteTable) -> tuple[Period, ...]:
    """Return all votes by period, oldest first, empty periods among them; periods are as short as they can be."""
    if not len(table):
        return ()
    first, last = float(table.voted_at.min()), float(table.voted_at.max())
    step = next((s for s in STEPS_S if last // s - first // s < MOST_PERIODS), STEPS_S[-1])
    # One vote with a wrong clock must not make thousands of periods: outliers go into the outermost ones.
    start = max(first // step, last // step - MOST_PERIODS + 1)
    place = np.maximum(table.voted_at // step - start, 0).astype(np.int64)
    periods = int(place.max()) + 1
    counted = table.left_out == 0
    given = np.bincount(place, minlength=periods)
    kept = np.rint(np.bincount(place, np.where(counted, table.weight, 0.0), periods)).astype(int)
    out = given - kept
    return tuple(Period((start + i) * step, step, int(kept[i]), int(out[i])) for i in range(periods))


# --- agreement -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well votes agree with a measurement; None, with the reason, if it can't be estimated.

    Vote by vote, `value` is the share of decided votes that go to the better
    answer, with its 95 % interval, and `n` the number of those votes. Model by
    model it is Kendall's tau-b of the two orders, from -1 to 1, with the exact
    p-value of no relation, and `n` the number of models.
    """

    value: float | None
    n: int
    reason: str | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


def easier_wins(table: VoteTable) -> Agreement:
    """Return the share of decided votes that prefer the answer with the lower grade; clustered as ratings are."""
    counted = table.counted
    decided = counted.where((counted.outcome != TIE) & (np.nan_to_num(counted.grade_difference) != 0))
    if not len(decided):
        return Agreement(None, 0, "no decided vote yet on two answers of different grade")
    easier = (decided.outcome == LEFT) == (decided.grade_difference < 0)
    share = _clustered_share(easier, decided)
    return Agreement(share.value, decided.size, None, share.low, share.high)


def _clustered_share(yes: np.ndarray, votes: VoteTable) -> Interval:
    """Return a share with an interval for votes that resemble each other by voter and by question."""
    outcome = np.where(yes, LEFT, RIGHT)
    rows, row = np.unique(outcome, return_inverse=True)
    ones = np.ones((len(rows), 1))
    design = Design(ones, ones[:, :0], rows.astype(np.int64), np.bincount(row, votes.weight).astype(float))
    fitted = fit(design)
    matrix, clusters = covariance(design, fitted, row, (votes.voter, votes.question), votes.weight)
    # The log-odds of "yes" are the only parameter, like the side's if all are equal.
    return Strengths(fitted.parameters, matrix, 0, 0, clusters, votes.size).left_share()


def orders_agree(ratings: Ratings, values: Mapping[Contestant, float | None], *, lower_is_better: bool) -> Agreement:
    """Return how well the order by ratings goes with that by a measure, over the contestants that have both."""
    from scipy import stats

    both = [
        (row.rating.value, value)
        for row in ratings.rows
        if row.rating and (value := values.get(row.contestant)) is not None
    ]
    if len(both) < FEWEST_MODELS:
        has = "no model has" if not both else f"only {len(both)} of the models have"
        return Agreement(None, len(both), f"{has} both a rating and this measure")
    rating, measure = np.array(both).T
    tau, p = stats.kendalltau(rating, -measure if lower_is_better else measure)
    if np.isnan(tau):
        return Agreement(None, len(both), "all models are equal in this measure")
    return Agreement(float(tau), len(both), p=float(p))


def same_in_bank(bank: Bank) -> dict[Opponents, tuple[int, int]]:
    """Return, for every two contestants, how many of their ready-made answers are the same, and of how many."""
    found: dict[Opponents, tuple[int, int]] = {}
    for row in bank.answers.values():
        listed = sorted(c for c in row if row[c].words)
        for i, first in enumerate(listed):
            for second in listed[i + 1 :]:
                same, of = found.get(two := frozenset((first, second)), (0, 0))
                found[two] = same + (row[first].key == row[second].key), of + 1
    return found
