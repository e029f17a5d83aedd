"""Searches by words alone, to compare: SQLite's FTS5, which the library has, and bm25s where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec

from medilite.content.key_terms import stem
from medilite.content.words import words
from medilite.sources.library import Library
from medilite.sources.names import names_of
from medilite.sources.postings import FIELD_WEIGHTS
from medilite.sources.query import STOP_WORDS
from medilite.sources.records import Entry

Search = Callable[[str], list[int]]
"""Returns the numbers of up to five entries for a question, best first."""

_stem = lru_cache(maxsize=200_000)(stem)


def fts5(library: Library) -> Search:
    """Return the search of the library's own index of words."""
    return lambda question: library.by_words(question, 5)


def bm25s(entries: Sequence[Entry]) -> Search | None:
    """Return bm25s's search of the same words, names and weights; None where the package isn't installed."""
    if find_spec("bm25s") is None:
        return None
    import bm25s as package

    question_weight, name_weight, _ = map(int, FIELD_WEIGHTS)
    texts = []
    for entry in entries:
        names = " ".join({entry.topic, *names_of(entry.topic, entry.answer, entry.names)})
        texts.append(_stems(entry.question) * question_weight + _stems(names) * name_weight + _stems(entry.answer))
    index = package.BM25()
    index.index(texts, show_progress=False)

    def search(question: str) -> list[int]:
        asked = [_stem(word) for word in dict.fromkeys(words(question)) if word not in STOP_WORDS]
        found, _ = index.retrieve([asked], k=5, show_progress=False)
        return [int(number) for number in found[0]]

    return search


def _stems(text: str) -> list[str]:
    return [_stem(word) for word in words(text)]
