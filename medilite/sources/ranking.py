"""Rank the entries for a question, and decide whether any of them fits.

The weights were set by hand, because weights fitted on reworded questions of
MedQuAD did worse elsewhere. Their result on LiveQA was looked at about twenty
times meanwhile and influenced them (docs/sources.md).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Candidates:
    """Entries that an index proposed, and the evidence for each: arrays, (n,), from 0 to 1 (likeness from −1)."""

    number: np.ndarray
    words: np.ndarray
    likeness: np.ndarray
    name: np.ndarray
    name_share: np.ndarray
    covered: np.ndarray
    unnamed: np.ndarray
    asked_kind: np.ndarray
    is_overview: np.ndarray


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the candidates, after ranking."""

    number: int
    score: float
    likeness: float
    unnamed: float


WEIGHTS = {"words": 0.8, "likeness": 3.0, "name": 0.6, "name_share": 0.15, "covered": 0.4, "unnamed": -0.7}
KIND_WEIGHT = 0.3
GENERAL_WEIGHT = 0.3
"""KIND_WEIGHT is for an entry of the kind that is asked for, GENERAL_WEIGHT for an overview if no kind is."""

SURE = {"likeness": 4.92, "topical": 3.68, "named": 3.75, "qualified": -4.5, "clash": -1.14, "unnamed": -3.01}
SURE_AT_ZERO = -5.34
THRESHOLD = 0.35
"""A logistic regression of "the first entry is about what was asked", and the least probability to show it.

Fitted by `python -m eval.search choose` on one half of the topics; the threshold is where the two error rates there,
plus that of the example questions, have the least sum. Reported on the other half (docs/sources.md).
"""

FIRST_PASSAGE, SHORT_PASSAGE, SHORT_WORDS = 0.15, 0.2, 8

UNNAMED = 0.3
"""From this much of a rare disease's name missing in the question, it counts as not named."""


def order(candidates: Candidates, count: int, *, asks_kind: bool) -> list[Candidate]:
    """Return the `count` best candidates, best first; ties by the collection's order.

    Scores are comparable within one question only. `asks_kind` is whether it asks for any kind of answer.
    """
    score = sum(weight * getattr(candidates, name) for name, weight in WEIGHTS.items())
    score = score + KIND_WEIGHT * candidates.asked_kind
    if not asks_kind:
        score = score + GENERAL_WEIGHT * candidates.is_overview
    best = (-score).argsort(kind="stable")[:count]
    return [
        Candidate(
            int(candidates.number[at]), *(float(of[at]) for of in (score, candidates.likeness, candidates.unnamed))
        )
        for at in best
    ]


@dataclass(frozen=True, slots=True)
class Signs:
    """Evidence for and against the first entry being about what was asked; see `SURE`."""

    likeness: float
    """Cosine (−1..1) of what was asked and the entry's own question."""
    topical: float
    """Share (0..1), by weight, of the words that say what it is about that the entry or its names have."""
    named: bool
    """Whether the question has one of the topic's names."""
    qualified: float
    """Weight (0..1) of a word beside that name which none of the topic's names has: "breast" where it is "Cancer"."""
    clash: bool
    """Whether question and topic contradict each other: type 4 and type 7, adult and childhood."""
    unnamed: bool
    """Whether it is a rare disease that the question does not name."""


def confidence(signs: Signs) -> float:
    """Return the estimated probability (0..1) that an entry is about what was asked."""
    total = SURE_AT_ZERO + math.fsum(weight * getattr(signs, name) for name, weight in SURE.items())
    return 1 / (1 + math.exp(-total))


_OPPOSITES = (
    ({"adult"}, {"childhood", "child", "children"}),
    ({"dominant"}, {"recessive"}),
)


def clashes(asked: Collection[str], names: Collection[str]) -> bool:
    """Return whether a question's words and those of a topic's names, both as `name_word`, contradict each other."""
    if any(word.isdigit() and word not in names for word in asked) and any(map(str.isdigit, names)):
        return True
    return any(
        one & set(asked) and not other & set(asked) and other & set(names) and not one & set(names)
        for pair in _OPPOSITES
        for one, other in (pair, pair[::-1])
    )


def fits(sure: float) -> bool:
    """Return whether a passage is shown as an answer."""
    return sure >= THRESHOLD


def share_of(have: Collection[str], weights: Mapping[str, float]) -> float:
    """Return the share (0..1), by weight, of a question's words that are in `have`."""
    total = math.fsum(weights.values())
    return math.fsum(weight for word, weight in weights.items() if word in have) / total if total else 0.0


def best_passage(passages: Sequence[Sequence[str]], weights: Mapping[str, float]) -> int:
    """Return the index of the passage to show, of an answer's passages as words: it shares most with the question.

    The first one has an advantage, because an answer begins with its subject, and
    a heading alone a disadvantage; the first wins ties.
    """

    def worth(place: int) -> float:
        is_short = len(passages[place]) < SHORT_WORDS
        return share_of(set(passages[place]), weights) + FIRST_PASSAGE * (place == 0) - SHORT_PASSAGE * is_short

    return max(range(len(passages)), key=lambda place: (worth(place), -place))
