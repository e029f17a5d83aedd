"""The words of a library: how rare each is, and how a misspelt word of a name is written."""

from __future__ import annotations

import math
import sqlite3
from functools import lru_cache

_MEND_FROM = 5
"""Letters of the shortest word that is corrected: shorter ones are near too many others."""

_MEND_LIKENESS = 0.8
_KNOWN_ENTRIES = 2
"""A word in more entries than this counts as spelt right."""


class Vocabulary:
    """The words of the `count` entries in a library's database; for one thread at a time."""

    def __init__(self, database: sqlite3.Connection, count: int) -> None:
        self._database = database
        self._count = count
        self._spellings = self._read_spellings()
        self.mend = lru_cache(4096)(self._mend)
        self.weight = lru_cache(65536)(self._weight)

    def _weight(self, word: str) -> float:
        """Return a word's inverse document frequency: log(1 + entries / (entries with it + 1))."""
        return math.log(1 + self._count / (self._entries_with(word) + 1))

    def _entries_with(self, word: str) -> int:
        row = self._database.execute("select entries from word where word = ?", (word,)).fetchone()
        return row[0] if row else 0

    def _mend(self, word: str) -> str:
        """Return the word of a name that `word`, which hardly any entry has, is likely to mean; else itself."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if len(word) < _MEND_FROM or not word.isalpha() or self._entries_with(word) > _KNOWN_ENTRIES:
            return word
        # Words of other lengths are further off than the cutoff allows, whatever their letters.
        lengths = range(math.ceil(len(word) * _MEND_LIKENESS), math.floor(len(word) / _MEND_LIKENESS) + 1)
        listed = [spelling for length in lengths for spelling in self._spellings.get(length, ())]
        near = process.extractOne(word, listed, scorer=OSA.normalized_similarity, score_cutoff=_MEND_LIKENESS)
        return near[0] if near else word

    def _read_spellings(self) -> dict[int, list[str]]:
        """Return the words of all names, by their length."""
        known = {word for (name,) in self._database.execute("select key from name") for word in name.split()}
        by_length: dict[int, list[str]] = {}
        for word in sorted(known):
            by_length.setdefault(len(word), []).append(word)
        return by_length
