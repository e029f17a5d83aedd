"""Sentences of a text with their places, their content, and which of a reference's says the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from medilite.claims.rarity import weight
from medilite.content.key_terms import common_stems, stem
from medilite.content.words import words
from medilite.readability.normal import normalise_with_origins, running_sentences


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text[start:end]` and the stems of its words, those of function words and general ones left out."""

    start: int
    end: int
    text: str
    stems: frozenset[str]
    weight: float


@lru_cache(maxsize=2048)
def sentences(text: str) -> tuple[Sentence, ...]:
    """Return the sentences of `text`, as the readability scores cut it: an item of a list is one."""
    running, origins = normalise_with_origins(text)
    found = []
    for match in running_sentences(running):
        last = match.start() + len(match[0].rstrip()) - 1
        start, end = origins[match.start()], origins[last] + 1
        while end > start and text[end - 1].isspace():
            end -= 1
        piece = text[start:end]
        stems = frozenset(content_stems(piece))
        found.append(Sentence(start, end, piece, stems, math.fsum(map(weight, stems))))
    return tuple(found)


def content_stems(text: str) -> list[str]:
    """Return the stems of the words that carry content, in order: no function words, numbers, single letters."""
    common = common_stems()
    return [
        found
        for word in words(text)
        if len(word) > 1 and any(map(str.isalpha, word)) and (found := stem(word)) not in common
    ]


def likeness(one: Sentence, other: Sentence) -> float:
    """Return how much two sentences share (0..1): twice the weight of common stems by the weight of both (Dice)."""
    both = one.weight + other.weight
    return 2 * math.fsum(map(weight, one.stems & other.stems)) / both if both else 0.0
