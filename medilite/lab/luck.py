"""What a model says by luck: one question with several seeds, and in how many answers each word occurs.

Counts, not scores: repetition doesn't make anything right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medilite.content import words
from medilite.content.common_words import FUNCTION_WORDS
from medilite.records import Decoding, Message, Request

SEEDS = tuple(range(8))
TEMPERATURE = 0.7

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def decoding(longest: int) -> Decoding:
    """Return how these answers are drawn: at temperature 0.7 from all tokens."""
    return Decoding(max_new_tokens=longest, temperature=TEMPERATURE, repetition_penalty=1.1)


def requests(model: str, messages: tuple[Message, ...], how: Decoding, visitor: str = "") -> tuple[Request, ...]:
    """Return one request a seed, the same seeds whichever the model."""
    return tuple(Request(model, messages, how, seed, visitor) for seed in SEEDS)


@dataclass(frozen=True, slots=True)
class WordSpan:
    """`text[start:end]` is a word that `count` of the answers have."""

    start: int
    end: int
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """In how many of `answers` each word is said; function words ("the", "of") aren't counted."""

    answers: int
    by_word: Mapping[str, int]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Counts:
        """Return the counts of some answers; those without a word count too."""
        counted: Counter[str] = Counter()
        for text in texts:
            counted.update({word for match in _WORD.finditer(text) if (word := _key(match[0]))})
        return cls(len(texts), counted)

    def spans(self, text: str) -> list[WordSpan]:
        """Return the words of a text with their counts, in order."""
        return [
            WordSpan(*match.span(), self.by_word.get(word, 0))
            for match in _WORD.finditer(text)
            if (word := _key(match[0]))
        ]

    def nearly_always(self) -> list[str]:
        """Return the words that all answers, or all but one, have: the surest first. None of fewer than three."""
        least = self.answers - 1
        found = [(word, count) for word, count in self.by_word.items() if self.answers > 2 and count >= least]
        return [word for word, _ in sorted(found, key=lambda pair: (-pair[1], pair[0]))]

    def once(self) -> list[str]:
        """Return the words that one answer alone has, in order of the alphabet."""
        return sorted(word for word, count in self.by_word.items() if count == 1) if self.answers > 1 else []


def most_typical(texts: Sequence[str], counts: Counts) -> int | None:
    """Return which answer has most of what the others say: by the mean count of its words; None without a word."""
    means = []
    for number, text in enumerate(texts):
        own = {_key(match[0]) for match in _WORD.finditer(text)} - {""}
        if own:
            means.append((sum(counts.by_word[word] for word in own) / len(own), -number))
    return -max(means)[1] if means else None


def _key(word: str) -> str:
    """Return what a word is counted under, "" for one that isn't."""
    found = " ".join(words(word))
    return "" if found in FUNCTION_WORDS or len(found) < 2 else found
