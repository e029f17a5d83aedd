"""What makes one entry fit a question better than another, and when none fits.

The weights were set by hand, after fits on reworded questions of MedQuAD did
worse elsewhere. What they do on LiveQA was seen about twenty times meanwhile and
had a part in it (docs/sources.md).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from medilite.sources.query import Asked

INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that an index put forward, and what speaks for it, each from 0 to 1 (likeness from −1)."""

    number: int
    words: float
    likeness: float
    name: float
    name_share: float
    covered: float
    unnamed: float
    kind: str
    is_overview: bool


WEIGHTS = {"words": 1.0, "likeness": 3.0, "name": 0.3, "name_share": 0.15, "covered": 0.2, "unnamed": -0.6}
KIND_WEIGHT = 0.2
GENERAL_WEIGHT = 0.2
"""For an entry of the kind that is asked for; for a general one where no kind is."""

SURE = {"likeness": 5.0, "covered": 1.6, "shared": 3.6, "is_unnamed": -3.9}
SURE_AT_ZERO = -4.5
THRESHOLD = 0.5
"""A logistic regression of "the first entry is about what was asked", and from what probability on it is shown."""

FIRST_PASSAGE, SHORT_PASSAGE, SHORT_WORDS = 0.15, 0.2, 8

UNNAMED = 0.3
"""From this much of a rare disease's name missing in the question, it counts as not named."""


def order(candidates: Sequence[Candidate], asked: Asked) -> list[tuple[float, Candidate]]:
    """Return candidates with their scores, best first; ties by the collection's order."""
    scored = [(score(candidate, asked), candidate) for candidate in candidates]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].number))


def score(candidate: Candidate, asked: Asked) -> float:
    """Return how well an entry fits, on no scale but that of one question."""
    total = math.fsum(weight * getattr(candidate, name) for name, weight in WEIGHTS.items())
    if candidate.kind in asked.kinds:
        total += KIND_WEIGHT
    elif candidate.is_overview and not asked.kinds:
        total += GENERAL_WEIGHT
    return total


def confidence(first: Candidate, shared: float) -> float:
    """Return the estimated probability (0..1) that an entry is about what was asked.

    `shared` is the share (0..1), by weight, of the question's words that the
    entry has anywhere.
    """
    total = SURE_AT_ZERO + SURE["likeness"] * first.likeness + SURE["covered"] * first.covered
    total += SURE["shared"] * shared + SURE["is_unnamed"] * (first.unnamed > UNNAMED)
    return 1 / (1 + math.exp(-total))


def fits(sure: float) -> bool:
    """Tell whether a passage is shown as an answer."""
    return sure >= THRESHOLD


def share_of(have: Collection[str], weights: Mapping[str, float]) -> float:
    """Return the share (0..1), by weight, of a question's words that are in `have`."""
    total = math.fsum(weights.values())
    return math.fsum(weight for word, weight in weights.items() if word in have) / total if total else 0.0


def best_passage(passages: Sequence[Sequence[str]], weights: Mapping[str, float]) -> int:
    """Return which passage of an answer, given by their words, to show: the one that shares most with the question.

    The first has an advantage, for an answer begins with what it is about, and a
    heading alone a disadvantage; the first wins ties.
    """

    def worth(place: int) -> float:
        is_short = len(passages[place]) < SHORT_WORDS
        return share_of(set(passages[place]), weights) + FIRST_PASSAGE * (place == 0) - SHORT_PASSAGE * is_short

    return max(range(len(passages)), key=lambda place: (worth(place), -place))
