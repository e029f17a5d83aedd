"""Votes from known strengths: voters of unlike reliability, questions that suit some models better, a left bias, ties.

A voter of reliability r who decides chooses the left with probability
1/2 + r (p - 1/2), where p follows from the strengths: 0 clicks blindly, 1 is
the average voter, more is sharper (less so where p leaves little room).
Reliabilities average 1 and the effects of
questions 0, so over all voters and questions the choices follow the strengths
exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from medilite.arena.fit import LEFT, RIGHT, probabilities
from medilite.arena.ratings import tie_columns
from medilite.arena.records import Contestant
from medilite.arena.table import VoteTable

MODELS = ("base", "m1", "m2", "m3", "m4", "m5")
CONTESTANTS = tuple(Contestant(model, "0") for model in MODELS)
RELIABILITIES, SHARES = np.array([0.0, 0.7, 1.0, 1.3]), np.array([0.1, 0.2, 0.3, 0.4])


@dataclass(frozen=True)
class World:
    """What is true: strengths by contestant, the left's advantage, how likely ties are."""

    strengths: np.ndarray = field(default_factory=lambda: np.array([-0.6, -0.35, -0.1, 0.1, 0.35, 0.6]))
    side: float = 0.16
    tie: tuple[float, ...] = (-0.6, 1.2)
    question_effect: float = 0.06
    """By how much a question moves the share that one contestant wins against another, at most."""
    questions: int = 130

    def chances(self, left: np.ndarray, right: np.ndarray, similarity: np.ndarray) -> np.ndarray:
        """Return the average voter's P(left), P(tie), P(right) on the average question (n, 3)."""
        e = tie_columns(similarity) @ np.array(self.tie) if self.tie else -np.inf
        return probabilities(self.strengths[left] - self.strengths[right] + self.side, e)

    def question_effects(self, rng: np.random.Generator) -> np.ndarray:
        """Draw, for every question and two contestants, what moves from the second to the first."""
        size = len(self.strengths)
        upper = np.triu(rng.uniform(-1, 1, (self.questions, size, size)) * self.question_effect, 1)
        return upper - upper.transpose(0, 2, 1)


def reliabilities(rng: np.random.Generator, voters: int) -> np.ndarray:
    return rng.choice(RELIABILITIES, p=SHARES, size=voters)


def choose(rng: np.random.Generator, chances: np.ndarray, reliability: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """Draw outcomes (n,) from the average voter's chances (n, 3), voters' reliabilities and questions' effects."""
    decided = chances[:, LEFT] + chances[:, RIGHT]
    lead = chances[:, LEFT] / decided - 0.5
    # Where hardly any doubt is left, voters and questions can differ by little only.
    room = (0.5 - np.abs(lead)) / 2
    sharper = np.minimum(1, room / np.maximum((RELIABILITIES.max() - 1) * np.abs(lead), 1e-9))
    left = 0.5 + lead * (1 + (reliability - 1) * sharper) + np.clip(effect, -room, room)
    p = np.stack([decided * left, chances[:, 1], decided * (1 - left)], axis=1)
    return (rng.random(len(p))[:, None] > p.cumsum(axis=1)[:, :2]).sum(axis=1)


def voters_of(rng: np.random.Generator, votes: int, mean: float) -> np.ndarray:
    """Return the voter of each vote; how often one votes is geometric, so a few vote much."""
    sizes = rng.geometric(1 / mean, size=votes)
    return np.repeat(np.arange(votes), sizes)[:votes]


def votes(world: World, rng: np.random.Generator, count: int, mean: float = 10.0) -> VoteTable:
    """Return `count` votes on pairs, questions and sides drawn uniformly."""
    places = np.array(list(permutations(range(len(world.strengths)), 2)))
    left, right = places[rng.integers(len(places), size=count)].T
    question = rng.integers(world.questions, size=count)
    voter = voters_of(rng, count, mean)
    similarity = rng.uniform(0.1, 0.9, count)
    outcome = choose(
        rng,
        world.chances(left, right, similarity),
        reliabilities(rng, count)[voter],
        world.question_effects(rng)[question, left, right],
    )
    return table(left, right, outcome, voter, question, similarity)


def table(left, right, outcome, voter, question, similarity=None, **fields) -> VoteTable:
    """Return votes as a table; what isn't given is alike for all."""
    count = len(left)
    values = {
        "contestants": CONTESTANTS, "left": left, "right": right, "outcome": outcome, "voter": voter,
        "both_bad": np.zeros(count, bool), "question": question,
        "questions": tuple(f"q{i}" for i in range(int(np.max(question, initial=0)) + 1)),
        "grade_difference": np.full(count, np.nan), "log_length_ratio": np.zeros(count),
        "similarity": np.full(count, 0.5) if similarity is None else similarity,
        "left_unsafe": np.zeros(count, bool), "right_unsafe": np.zeros(count, bool), "live": np.zeros(count, bool),
        "voted_at": 1.7e9 + np.arange(count) * 60.0, "left_out": np.zeros(count, np.int64), "reasons": ("",),
        "network": np.full(count, -1), "networks": (), "account": np.zeros(count, bool),
        "public": np.zeros(count, bool), "turns": np.ones(count, np.int64), "weight": np.ones(count), **fields,
    }  # fmt: skip
    values["networks"] = values["networks"] or tuple(
        f"n{i}" for i in range(int(np.max(values["network"], initial=-1)) + 1)
    )
    arrays = {name: np.asarray(v) if isinstance(v, list) else v for name, v in values.items()}
    return VoteTable(**arrays)
