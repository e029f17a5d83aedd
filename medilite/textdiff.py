"""What one answer says that another does not, word by word."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Japanese and Chinese signs: written without spaces, so each counts as a word."""

_LETTERS = rf"(?:[^\W_{_UNSPACED}][\u0300-\u036f]*)+"
_WORD = re.compile(rf"[{_UNSPACED}]|{_LETTERS}(?:['’‘ʼ‐‑-]{_LETTERS})*")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ", "'") | dict.fromkeys("‐‑", "-"))


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """A run of words, `text[start:end]`, that the other text does not have at this place."""

    start: int
    end: int


def differences(base: str, other: str) -> list[DiffSpan]:
    """Return the runs of words in `other` that are not in `base` in the same order, first to last.

    Words are aligned by a longest common subsequence (Hunt & McIlroy 1976), so
    as few words as possible are marked. Case, punctuation, Markdown and kinds of
    apostrophe make no difference. A run holds the signs between its words and
    never crosses a line break. Positions index into `other`.
    """
    return list(_differences(base, other))


def similarity(base: str, other: str) -> float | None:
    """Return the share of words that two texts have in common in order, from 0 to 1.

    Twice the common words over the words of both (Dice's coefficient). None if
    either has no words: there is nothing to compare.
    """
    from rapidfuzz.distance import LCSseq

    left, right = _numbered(_words(base), _words(other))
    if not left or not right:
        return None
    return 2 * LCSseq.similarity(left, right) / (len(left) + len(right))


@lru_cache(maxsize=256)
def _differences(base: str, other: str) -> tuple[DiffSpan, ...]:
    from rapidfuzz.distance import Indel

    words = _words(other)
    spans: list[DiffSpan] = []
    for step in Indel.opcodes(*_numbered(_words(base), words)):
        if step.tag != "insert":
            continue
        start, end = words[step.dest_start].span()
        for word in words[step.dest_start + 1 : step.dest_end]:
            if "\n" in other[end : word.start()] or "\r" in other[end : word.start()]:
                spans.append(DiffSpan(start, end))
                start = word.start()
            end = word.end()
        spans.append(DiffSpan(start, end))
    return tuple(spans)


def _words(text: str) -> list[re.Match[str]]:
    return list(_WORD.finditer(text))


def _numbered(*texts: list[re.Match[str]]) -> tuple[list[int], ...]:
    """Return each text as one number a word, equal numbers for equal words."""
    numbers: dict[str, int] = {}
    return tuple([numbers.setdefault(_key(word[0]), len(numbers)) for word in words] for words in texts)


def _key(word: str) -> str:
    return unicodedata.normalize("NFKC", word.translate(_APOSTROPHES)).casefold()
