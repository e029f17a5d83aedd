"""Which pair comes next: the one whose vote is expected to narrow the intervals most, with some chance for all.

The expected gain of a vote follows from its Fisher information under the present ratings. A vote between two whose odds
are even, or whose strengths are still vague, is informative. One whose outcome is nearly certain is not: the odds may
be long, or the two answers so similar that it will be a tie. Another vote on the same question is less informative than
one on a new question, so questions rotate, informative ones first. Sides are drawn with a coin that favours the side on
which a contestant was shown less (Efron 1971, Biometrika 58:403).

The intervals are those that are shown (`ratings`): each contestant against the
average of all. Narrowing their mean is A-optimal design (Atkinson, Donev and
Tobias 2007, Optimum Experimental Designs, ch. 10), one vote at a time.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from medilite.arena.fit import PRIOR_SD, Floats, Ints, probabilities
from medilite.arena.ratings import tie_columns
from medilite.arena.records import Contestant

Opponents = frozenset[Contestant]

EXPLORE = 0.1
"""Share of the draws whose two contestants are drawn by chance alone, regardless of ratings."""

SHARPNESS = 8.0
"""Chances are proportional to this power of the expected gain: high enough to prefer, low enough to stay random."""

ALIKE_ON_QUESTION = 0.05
"""Correlation assumed between votes on one pair and question: as high as possible without losing the information of
unlike answers, and high enough that every question has its turn."""

NEAR = 0.97
"""Places with at least this share of the best one's information have equal chances."""

COIN = 2 / 3
"""Chance of the side on which a contestant was shown less, as in Efron (1971)."""

AGAIN = 1 / 15
AGAIN_FROM = 10
AGAIN_APART = 5
"""From AGAIN_FROM votes on, this share of a voter's draws is a pair that they voted on at least AGAIN_APART votes ago:
whether they choose the same shows how consistent they are (`trust`)."""

USUAL_SIMILARITY = 0.5
"""The similarity assumed for answers that are not written yet."""


@dataclass(frozen=True, slots=True)
class Place:
    """A question and seed for which two contestants have an answer each, and how similar the two answers are."""

    question: str
    seed: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """Two contestants and their place, with the probability of the two, and of the place given the two."""

    two: Opponents
    place: Place
    two_probability: float
    place_probability: float


@dataclass
class Knowledge:
    """What is known when a pair is drawn.

    `strengths` (natural logarithms; 0 if unknown) and `tie` come from the last fit, `votes` counts by pair of
    contestants, `shown` by pair and question, `on_left` how often the first was left of the second.
    """

    strengths: Mapping[Contestant, float] = field(default_factory=dict)
    tie: tuple[float, ...] = ()
    votes: dict[Opponents, int] = field(default_factory=dict)
    shown: dict[tuple[Opponents, str], int] = field(default_factory=dict)
    on_left: dict[tuple[Contestant, Contestant], int] = field(default_factory=dict)

    def note(self, left: Contestant, right: Contestant, question: str) -> None:
        """Count a pair that is shown now, so that the next visitors get other pairs."""
        two = frozenset((left, right))
        self.votes[two] = self.votes.get(two, 0) + 1
        self.shown[two, question] = self.shown.get((two, question), 0) + 1
        self.on_left[left, right] = self.on_left.get((left, right), 0) + 1

    def information(self, two: Opponents, similarity: Floats) -> Floats:
        """Return the Fisher information of votes about the difference of two strengths, by the answers' similarity."""
        first, second = two
        difference = self.strengths.get(first, 0.0) - self.strengths.get(second, 0.0)
        e = tie_columns(similarity) @ np.array(self.tie) if self.tie else -np.inf
        p = probabilities(difference, np.broadcast_to(e, similarity.shape))
        return (p[..., 0] + p[..., 2]) / 4 - (p[..., 0] - p[..., 2]) ** 2 / 4


def draw_place(places: Mapping[Opponents, Sequence[Place]], knowledge: Knowledge, rng: random.Random) -> Drawn | None:
    """Return the two contestants and the place of the next pair, None if there is no place at all.

    `places` has, for every two, where both have an answer that may be shown.
    """
    open_pairs = sorted((two for two, listed in places.items() if listed), key=sorted)
    if not open_pairs:
        return None
    best = {two: _most_informative(two, places[two], knowledge) for two in open_pairs}
    gains = expected_gains({two: value for two, (_, value) in best.items()}, knowledge)
    two, probability = _draw(gains, rng)
    listed = best[two][0]
    return Drawn(two, rng.choice(listed), probability, 1 / len(listed))


def draw_again(
    places: Mapping[Opponents, Sequence[Place]], voted: Sequence[tuple[Opponents, str, int]], rng: random.Random
) -> Drawn | None:
    """Return, now and then, a place that its voter has voted on once; None most of the time.

    `voted` has the contestants, question and seed of each of their votes, oldest first.
    """
    if len(voted) < AGAIN_FROM or rng.random() >= AGAIN:
        return None
    listed = {(two, place.question, place.seed): place for two, all_ in places.items() for place in all_}
    once = [one for one in dict.fromkeys(voted[:-AGAIN_APART]) if one in listed and voted.count(one) == 1]
    if not once:
        return None
    chosen = rng.choice(once)
    return Drawn(chosen[0], listed[chosen], AGAIN, 1 / len(once))


def draw_two(contestants: Iterable[Contestant], knowledge: Knowledge, rng: random.Random) -> tuple[Opponents, float]:
    """Return two contestants whose answers are yet to be written, and how probable they were."""
    pairs = [frozenset(two) for two in combinations(sorted(contestants), 2)]
    usual = np.array([USUAL_SIMILARITY])
    return _draw(expected_gains({two: float(knowledge.information(two, usual)[0]) for two in pairs}, knowledge), rng)


def draw_sides(two: Opponents, knowledge: Knowledge, rng: random.Random) -> tuple[Contestant, Contestant, float]:
    """Return the two as left and right, and how probable that order was."""
    first, second = sorted(two)
    ahead = knowledge.on_left.get((first, second), 0) - knowledge.on_left.get((second, first), 0)
    chance = 0.5 if ahead == 0 else 1 - COIN if ahead > 0 else COIN
    return (first, second, chance) if rng.random() < chance else (second, first, 1 - chance)


def expected_gains(information: Mapping[Opponents, float], knowledge: Knowledge) -> dict[Opponents, float]:
    """Return by how much one more vote on each two is expected to narrow the mean interval, up to a constant.

    `information` is that of the vote that would come next. With H the
    information matrix of the votes so far and C its inverse, a vote of
    information w in direction x takes w (Cx)(Cx)' / (1 + w x'Cx) off C.
    """
    contestants = sorted({c for two in information for c in two})
    place = {contestant: i for i, contestant in enumerate(contestants)}
    size = len(contestants)
    usual = np.array([USUAL_SIMILARITY])
    hessian = np.eye(size) / PRIOR_SD**2
    directions = {}
    for two in information:
        x = np.zeros(size)
        first, second = sorted(two)
        x[place[first]], x[place[second]] = 1, -1
        directions[two] = x
        votes = knowledge.votes.get(two, 0)
        hessian += votes * float(knowledge.information(two, usual)[0]) * np.outer(x, x)
    covariance = np.linalg.inv(hessian)
    centred = np.eye(size) - 1 / size
    widths = np.sqrt(np.diag(centred @ covariance @ centred))
    gains = {}
    for two, x in directions.items():
        w = information[two]
        narrowed = (centred @ covariance @ x) ** 2 * w / (1 + w * x @ covariance @ x)
        gains[two] = float((narrowed / (2 * widths)).sum())
    return gains


def _draw(gains: Mapping[Opponents, float], rng: random.Random) -> tuple[Opponents, float]:
    """Return two contestants by their gains, some by chance alone, and how probable they were."""
    pairs = sorted(gains, key=sorted)
    best = max(gains.values())
    weights = [(gains[two] / best) ** SHARPNESS for two in pairs]
    total = sum(weights)
    chances = [EXPLORE / len(pairs) + (1 - EXPLORE) * weight / total for weight in weights]
    two = rng.choices(range(len(pairs)), chances)[0]
    return pairs[two], chances[two]


def _most_informative(two: Opponents, places: Sequence[Place], knowledge: Knowledge) -> tuple[list[Place], float]:
    """Return the most informative places of a pair, and their mean information."""
    information = knowledge.information(two, np.array([place.similarity for place in places]))
    shown = np.array([knowledge.shown.get((two, place.question), 0) for place in places])
    gains = information * _of_another(shown)
    enough = NEAR * float(gains.max())
    chosen = [place for place, value in zip(places, gains, strict=True) if value >= enough]
    return chosen, float(gains[gains >= enough].mean())


def _of_another(votes: Ints) -> Floats:
    """Return the information of one more vote on a question, as a share of the first one's.

    m votes with correlation r have the information of m / (1 + (m - 1) r) independent ones (Kish 1965, Survey Sampling,
    ch. 5); this is what the next one adds.
    """
    r = ALIKE_ON_QUESTION
    return (1 - r) / ((1 + (votes - 1) * r) * (1 + votes * r))
