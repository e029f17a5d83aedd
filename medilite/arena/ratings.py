"""Ratings of the contestants from counted votes, each with its interval.

The model and its sources are in `fit`. Here its parameters become ratings on
the usual scale, on which 400 points are odds of 10 to 1, with the base at 1000.
As on other such scales an interval is that of the contestant's strength against
the average of all, so the base has one too, though its rating is 1000 by the
choice of the scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medilite.arena.fit import LEFT, RIGHT, TIE, Design, Fit, Floats, Ints, covariance, fit
from medilite.arena.records import Contestant
from medilite.arena.table import VoteTable

POINTS = 400 / math.log(10)
"""Rating points in one natural logarithm of the odds."""

BASE_RATING = 1000.0
PRELIMINARY_VOTES = 100
"""A contestant with fewer votes than this has a preliminary rating."""

CONFIDENCE = 0.95
GRADE_STEP, LENGTH_STEP, SIMILARITY_STEP = 0.5, 0.2, 0.2
"""Rounding of differences in grade, in the logarithm of the length and in similarity: finer than anybody notices, and
coarse enough that a million votes make few rows."""

TUNED_VOTES = 1000
"""The number of votes at which the intervals are narrowest for their coverage."""

_A = -2 * math.log(1 - CONFIDENCE)
_RHO2 = (_A + math.log(_A) + 1) / TUNED_VOTES

MOST_VOTES_PREDICTED = 100_000
"""More votes than this are not predicted: two that need them are practically equal."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Rating:
    """One contestant's rating; None, with the reason, if it can't be estimated.

    `rank` is 1 plus the number of contestants that are distinguishable from this one and above it, by Holm's method
    over all pairs, valid at any time. `equal` is the rating at equal grade and length, which describes the votes and
    says nothing of causes. `score` is wins plus half the ties ("equally good"), by the votes that are not "both bad";
    those are a result of their own, `bad`.
    """

    contestant: Contestant
    votes: int
    wins: int
    ties: int
    losses: int
    rating: Interval | None
    rank: int | None
    equal: Interval | None
    reason: str | None
    unsafe: Interval | None
    unsafe_votes: int
    bad: Interval | None
    bad_votes: int

    @property
    def preliminary(self) -> bool:
        """Whether there are too few votes for a reliable rating."""
        return self.votes < PRELIMINARY_VOTES

    @property
    def score(self) -> float | None:
        """Share of the points: a win is 1, a tie one half."""
        compared = self.votes - self.bad_votes
        return (self.wins + self.ties / 2) / compared if compared else None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a difference between two answers is worth to the one that has it, in points."""

    name: str
    points: Interval


@dataclass(frozen=True)
class Ratings:
    """What the counted votes say.

    `rows` has every contestant, best first, unrated ones last. `left_share` is the share of decided votes that the left
    answer would win if both were equal. `effects` are of the second fit, whose votes are `equal_votes`. `more_votes`
    is, for two contestants, about how many more votes in all it takes to distinguish them (0: they are; None: too many
    to predict). `strengths` and `tie` are the first fit's own numbers, by which the next pairs are drawn.
    """

    rows: tuple[Rating, ...]
    votes: int
    voters: int
    questions: int
    left_share: Interval | None
    effects: tuple[Effect, ...]
    equal_votes: int
    strengths: Mapping[Contestant, float]
    tie: tuple[float, ...]
    more_votes: Mapping[tuple[Contestant, Contestant], int | None]


def rate(table: VoteTable, base: Contestant | None) -> Ratings:
    """Return the ratings from the counted votes of a table; `base` is at 1000.

    Only contestants that votes connect with the base are rated: unconnected groups can't be compared.
    """
    counted = table.counted
    count = len(counted.contestants)
    here = _island(counted.where(~counted.both_bad), base)
    inside = np.zeros(count, bool)
    inside[list(here)] = True
    # "Both bad" doesn't say which is better; given that it isn't chosen, the model's odds are unchanged.
    compared = counted.where(~counted.both_bad)
    on_island = compared.where(inside[compared.left] & inside[compared.right])
    scale = _Scale(counted.contestants, here, base)
    first = _strengths(on_island, here, at_equal=False)[0] if len(on_island) else None
    ratings = scale.ratings(first) if first else {}
    graded = on_island.where(np.isfinite(on_island.grade_difference))
    second, spread = _strengths(graded, here, at_equal=True) if len(graded) else (None, np.ones(2))
    equal = scale.ratings(second) if second else {}
    apart = scale.told_apart(first) if first else {}
    ranks = {c: 1 + sum(apart[other, c] is True for other in ratings if other != c) for c in ratings}
    rows = []
    for i, contestant in enumerate(counted.contestants):
        rows.append(
            Rating(
                contestant,
                *_tally(counted, i),
                rating=ratings.get(contestant),
                rank=ranks.get(contestant),
                equal=equal.get(contestant),
                reason=None if contestant in ratings else _why_not(contestant, counted, i, base),
                unsafe=_share(counted, i, counted.left_unsafe, counted.right_unsafe)[0],
                unsafe_votes=_share(counted, i, counted.left_unsafe, counted.right_unsafe)[1],
                bad=_share(counted, i, counted.both_bad, counted.both_bad)[0],
                bad_votes=_share(counted, i, counted.both_bad, counted.both_bad)[1],
            )
        )
    rows.sort(key=lambda row: -row.rating.value if row.rating else math.inf)
    return Ratings(
        rows=tuple(rows),
        votes=counted.size,
        voters=_distinct(counted.voter),
        questions=_distinct(counted.question),
        left_share=first.left_share() if first else None,
        effects=_effects(second, spread) if second else (),
        equal_votes=graded.size if second else 0,
        strengths=dict(zip((counted.contestants[i] for i in here), first.parameters, strict=False)) if first else {},
        tie=first.tie if first else (),
        more_votes=_more_votes(ratings, first, scale, on_island.size) if first else {},
    )


def of_public_pairs(table: VoteTable, base: Contestant | None) -> bool:
    """Return whether the ratings are of the votes on public pairs, which are never rated together with the others.

    They are of the others, which nobody can look up, unless those say less: they don't rate the base and the public
    ones do, or they are fewer than both PRELIMINARY_VOTES and the public ones. So one vote of a kind never replaces the
    ratings of hundreds of the other kind.
    """

    def says(public: bool) -> tuple[bool, int]:
        votes = table.where(table.public == public).counted
        return bool(_island(votes.where(~votes.both_bad), base)), min(votes.size, PRELIMINARY_VOTES)

    return says(True) > says(False)


def points(table: VoteTable, base: Contestant | None) -> dict[Contestant, float]:
    """Return the ratings alone, without intervals, from the votes of a table; empty if there are none."""
    table = table.where(~table.both_bad)
    here = _island(table, base)
    inside = np.zeros(len(table.contestants), bool)
    inside[list(here)] = True
    on_island = table.where(inside[table.left] & inside[table.right])
    if not len(on_island):
        return {}
    fitted, *_ = fitted_strengths(on_island, here, at_equal=False)
    assert fitted is not None
    values = fitted.parameters[: len(here)]
    zero = values[here.index(table.contestants.index(base))] if base else 0.0
    return {table.contestants[i]: BASE_RATING + POINTS * float(v - zero) for i, v in zip(here, values, strict=True)}


# --- intervals that hold at any time -----------------------------------------------------


def anytime_z(votes: int, alpha: float = 1 - CONFIDENCE) -> float:
    """Return the half-width, in standard errors, of an interval that holds at every number of votes at once.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, Ann. Stat. 52:2613),
    narrowest at TUNED_VOTES. A fixed-sample interval is wrong the more often the more often one looks; of these, at
    most the share `alpha` is ever wrong.
    """
    x = max(votes, 1) * _RHO2
    return math.sqrt(2 * (x + 1) / x * math.log(math.sqrt(x + 1) / alpha))


def anytime_p(z: float, votes: int) -> float:
    """Return the p-value that goes with `anytime_z`: the least alpha at which z standard errors are outside."""
    x = max(votes, 1) * _RHO2
    return min(1.0, math.sqrt(x + 1) * math.exp(-z * z * x / (2 * (x + 1))))


def wilson(successes: int, trials: int, z: float | None = None, design_effect: float = 1.0) -> Interval | None:
    """Return a share with Wilson's interval (1927, JASA 22:209) of z standard errors; None without trials.

    `design_effect` is how many trials have the information of one independent
    trial.
    """
    from scipy import stats

    if not trials:
        return None
    z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2)) if z is None else z
    successes, trials = successes / max(design_effect, 1.0), trials / max(design_effect, 1.0)  # type: ignore[assignment]
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


# --- strengths -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Strengths:
    """Parameters of one fit and their covariance: contestants first, side, other effects, then those of ties.

    `clusters` is the number of voters or of questions, whichever is smaller.
    """

    parameters: Floats
    covariance: Floats
    contestants: int
    ties: int
    clusters: int
    votes: int

    @property
    def few(self) -> float:
        """By how much intervals are wider because clusters are few: t against normal quantile."""
        from scipy import stats

        at = 0.5 + CONFIDENCE / 2
        return float(stats.t.ppf(at, max(self.clusters - 1, 1)) / stats.norm.ppf(at))

    @property
    def quantile(self) -> float:
        """Half-width of an interval in standard errors: it holds at any time, and is wider for few clusters."""
        return anytime_z(self.votes) * self.few

    def against_average(self) -> tuple[Floats, Floats]:
        """Return each strength minus their average, and its standard error."""
        k = self.contestants
        contrast = np.eye(k) - 1 / k
        inner = contrast @ self.covariance[:k, :k] @ contrast
        return contrast @ self.parameters[:k], np.sqrt(np.maximum(np.diag(inner), 0))

    def effect(self, index: int) -> Interval:
        """Return one parameter after the contestants' with its interval; 0 is the side."""
        at = self.contestants + index
        value, half = float(self.parameters[at]), self.quantile * math.sqrt(max(self.covariance[at, at], 0.0))
        return Interval(value, value - half, value + half)

    def left_share(self) -> Interval:
        """Return the share of decided votes that go to the left of two equal answers."""
        side = self.effect(0)
        return Interval(*(1 / (1 + math.exp(-x)) for x in (side.value, side.low, side.high)))

    @property
    def tie(self) -> tuple[float, ...]:
        """The parameters of ties, as `tie_columns` takes them; empty if there is no tie."""
        return tuple(float(value) for value in self.parameters[len(self.parameters) - self.ties :])


def tie_columns(similarity: Floats) -> Floats:
    """Return the columns that make ties likelier between similar answers (rows, 2): 1, and -1 to 1 by similarity."""
    return np.stack([np.ones_like(similarity), 2 * similarity - 1], axis=-1)


def fitted_strengths(
    table: VoteTable, here: Sequence[int], *, at_equal: bool
) -> tuple[Fit | None, Design | None, Ints, Floats]:
    """Fit strengths and side; with `at_equal` also grade and length, which may influence voters.

    Returns with the strengths the spread of grade and length: both are standardised, so that the prior means the same
    for them. Differences are rounded, so that equal votes make one row: a million votes then take hardly longer than a
    few.
    """
    parts = [np.rint(table.similarity / SIMILARITY_STEP)]
    if at_equal:
        parts += [np.rint(-table.grade_difference / GRADE_STEP), np.rint(table.log_length_ratio / LENGTH_STEP)]
    rounded = np.stack(parts, axis=1).astype(np.int64)
    count = len(table.contestants)
    cell = (table.left * count + table.right) * 3 + table.outcome
    for column in rounded.T:
        cell = cell * (int(np.ptp(column)) + 1) + column - column.min()
    _, first, row = np.unique(cell, return_index=True, return_inverse=True)
    weight = np.bincount(row, table.weight).astype(float)
    x = _columns(table.left[first], table.right[first], here)
    spread = np.ones(2)
    if at_equal:
        differences = rounded[first, 1:] * (GRADE_STEP, LENGTH_STEP)
        spread = np.sqrt(np.average(differences**2, axis=0, weights=weight))
        if (spread == 0).any():
            return None, None, row, spread
        x = np.hstack([x, differences / spread])
    z = tie_columns(rounded[first, 0] * SIMILARITY_STEP)
    if not (table.outcome == TIE).any():
        z = z[:, :0]
    design = Design(x, z, table.outcome[first], weight)
    return fit(design), design, row, spread


def _strengths(table: VoteTable, here: Sequence[int], *, at_equal: bool) -> tuple[Strengths | None, Floats]:
    """Return the fit with its covariance, and the spread of grade and length."""
    fitted, design, row, spread = fitted_strengths(table, here, at_equal=at_equal)
    if fitted is None or design is None:
        return None, spread
    matrix, clusters = covariance(design, fitted, row, (table.voter, table.question), table.weight)
    ties = design.z.shape[1]
    return Strengths(fitted.parameters, matrix, len(here), ties, clusters, table.size), spread


def _effects(strengths: Strengths, spread: Floats) -> tuple[Effect, ...]:
    found = []
    for i, (name, step) in enumerate((("one grade easier", 1.0), ("twice as long", math.log(2)))):
        worth = strengths.effect(1 + i)
        factor = step / float(spread[i]) * POINTS
        found.append(Effect(name, Interval(*(factor * v for v in (worth.value, worth.low, worth.high)))))
    return tuple(found)


def vote_columns(table: VoteTable, votes: Ints, here: Sequence[int]) -> tuple[Floats, Floats]:
    """Return a design's x and z, as `fitted_strengths` makes them, of those votes of a table, one a row."""
    alike = np.rint(table.similarity[votes] / SIMILARITY_STEP) * SIMILARITY_STEP
    return _columns(table.left[votes], table.right[votes], here), tie_columns(alike)


def _columns(left: NDArray[np.int64], right: NDArray[np.int64], here: Sequence[int]) -> Floats:
    """Return the design's columns: 1 for the left contestant, -1 for the right one; 1 for the side."""
    at = np.zeros(max(here) + 1, dtype=np.int64)
    at[list(here)] = np.arange(len(here))
    x = np.zeros((len(left), len(here) + 1))
    rows = np.arange(len(left))
    x[rows, at[left]] += 1
    x[rows, at[right]] -= 1
    x[:, -1] = 1
    return x


class _Scale:
    """Converts strengths to points: the base is at 1000."""

    def __init__(self, contestants: Sequence[Contestant], here: Sequence[int], base: Contestant | None) -> None:
        self._contestants = [contestants[i] for i in here]
        self._base = self._contestants.index(base) if base in self._contestants else None

    def ratings(self, strengths: Strengths) -> dict[Contestant, Interval]:
        values, errors = strengths.against_average()
        zero = values[self._base] if self._base is not None else 0.0
        half = strengths.quantile * errors * POINTS
        points = BASE_RATING + (values - zero) * POINTS
        return {
            contestant: Interval(float(p), float(p - h), float(p + h))
            for contestant, p, h in zip(self._contestants, points, half, strict=True)
        }

    def z_scores(self, strengths: Strengths) -> dict[tuple[Contestant, Contestant], float]:
        """Return, for every two, how many standard errors the first is above the second."""
        k = strengths.contestants
        values, matrix = strengths.parameters[:k], strengths.covariance[:k, :k]
        found = {}
        for i, one in enumerate(self._contestants):
            for j, other in enumerate(self._contestants):
                if i != j:
                    variance = float(matrix[i, i] + matrix[j, j] - 2 * matrix[i, j])
                    error = math.sqrt(max(variance, 1e-12)) * strengths.few
                    found[one, other] = float(values[i] - values[j]) / error
        return found

    def told_apart(self, strengths: Strengths) -> dict[tuple[Contestant, Contestant], bool]:
        """Return, for every two, whether the first is significantly above the second (Holm 1979, over all pairs)."""
        z_scores = self.z_scores(strengths)
        pairs = {two: anytime_p(z, strengths.votes) for two, z in z_scores.items() if z > 0}
        distinct = dict.fromkeys(z_scores, False)
        every = len(z_scores) // 2
        for place, (two, p) in enumerate(sorted(pairs.items(), key=lambda one: one[1])):
            if p * (every - place) > 1 - CONFIDENCE:
                break
            distinct[two] = True
        return distinct


# --- what else follows of the votes--------------------------------------------------------


def _island(table: VoteTable, base: Contestant | None) -> tuple[int, ...]:
    """Return the contestants that votes connect with the base, including it; empty without a vote on it."""
    from scipy import sparse

    count = len(table.contestants)
    if base not in table.contestants or not len(table):
        return ()
    links = sparse.coo_array((np.ones(len(table)), (table.left, table.right)), shape=(count, count))
    _, island = sparse.csgraph.connected_components(links, directed=False)
    mine = island[table.contestants.index(base)]
    inside = tuple(int(i) for i in np.flatnonzero(island == mine))
    return inside if len(inside) > 1 else ()


def _why_not(contestant: Contestant, table: VoteTable, index: int, base: Contestant | None) -> str:
    if not ((table.left == index) | (table.right == index)).any():
        return "no votes yet"
    if base is None or base not in table.contestants:
        return "there is no base to compare with"
    return "no chain of votes connects it with the base"


def _distinct(codes: NDArray[np.int64]) -> int:
    return int((np.bincount(codes) > 0).sum())


def _tally(table: VoteTable, index: int) -> tuple[int, int, int, int]:
    on_left, on_right = table.left == index, table.right == index
    wins = (on_left & (table.outcome == LEFT)) | (on_right & (table.outcome == RIGHT))
    shown = on_left | on_right
    ties = shown & (table.outcome == TIE) & ~table.both_bad
    losses = shown & ~wins & (table.outcome != TIE)
    won, tied, lost, bad = (
        round(float(table.weight[votes].sum())) for votes in (wins, ties, losses, shown & table.both_bad)
    )
    return won + tied + lost + bad, won, tied, lost


def _share(
    table: VoteTable, index: int, of_left: NDArray[np.bool_], of_right: NDArray[np.bool_]
) -> tuple[Interval | None, int]:
    """Return the share of a contestant's votes with a given outcome, and their number.

    Votes of one voter resemble each other: their design effect (Kish 1965) widens the interval accordingly.
    """
    inside = (table.left == index) | (table.right == index)
    yes = np.where(table.left == index, of_left, of_right)[inside].astype(float)
    weight = table.weight[inside]
    said, votes = round(float(weight @ yes)), round(float(weight.sum()))
    effect = 1.0
    if 0 < said < votes:
        mean = float(weight @ yes / weight.sum())
        sums = np.bincount(table.voter[inside], weight * (yes - mean))
        effect = float((sums**2).sum() / (votes * mean * (1 - mean)))
    return wilson(said, votes, anytime_z(votes), effect), said


def _more_votes(
    ratings: Mapping[Contestant, Interval], strengths: Strengths, scale: _Scale, votes: int
) -> dict[tuple[Contestant, Contestant], int | None]:
    """Return how many more votes distinguish two, if ratings stay and errors shrink with the root of the votes."""
    result: dict[tuple[Contestant, Contestant], int | None] = {}
    apart, z_scores = scale.told_apart(strengths), scale.z_scores(strengths)
    needed = anytime_z(votes, (1 - CONFIDENCE) / max(len(apart) // 2, 1))
    ordered = sorted(ratings, key=lambda c: -ratings[c].value)
    for i, upper in enumerate(ordered):
        for lower in ordered[i + 1 :]:
            if apart[upper, lower]:
                result[upper, lower] = 0
                continue
            z = abs(z_scores[upper, lower])
            more = votes * ((needed / z) ** 2 - 1) if z > 0 else math.inf
            result[upper, lower] = max(1, math.ceil(more)) if more <= MOST_VOTES_PREDICTED else None
    return result
