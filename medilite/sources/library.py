"""Search a built library: the passages that fit a question, within milliseconds."""

from __future__ import annotations

import math
import sqlite3
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medilite.content.words import words
from medilite.errors import DataError
from medilite.sources.layout import DATABASE, MEANING, read_manifest
from medilite.sources.postings import Stemmer, add_up
from medilite.sources.query import ILLNESS, STOP_WORDS, Asked, name_word, take_apart
from medilite.sources.ranking import (
    UNNAMED,
    Candidate,
    Candidates,
    Signs,
    best_passage,
    clashes,
    confidence,
    fits,
    order,
    share_of,
)
from medilite.sources.records import INSTITUTES, About, Found, Hit, Passage
from medilite.sources.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

BY_WORDS, BY_MEANING = 100, 100
"""Entries that each index proposes."""

MOST_TERMS = 16
"""Words of a question that are looked up, the rarest first; a long message has about ten that matter."""

MOST_ENCODED = 22
"""Words of a question that are encoded for the index of meaning; the encoder's time grows with their number."""

RARE_SOURCES = frozenset({"GARD", "GHR"})
"""Sources on rare diseases, two thirds of MedQuAD; a question that names no rare disease is seldom about one."""


class Library:
    """One library, open for searching from any thread.

    `encode` turns a text into a unit vector; see `content.light_encoder`.
    """

    def __init__(self, folder: Path, encode: Callable[[str], np.ndarray]) -> None:
        """Open the library in `folder`. Raises DataError if it is unfinished, damaged or of another version."""
        import numpy as np

        manifest = read_manifest(folder)
        self.folder = folder
        self.about = About(**manifest["collection"])
        self.counts: dict[str, int] = manifest["counts"]
        self._encode = encode
        self._lock = threading.Lock()
        try:
            # A built library never changes: no lock is needed, and its disk may be read-only.
            address = (folder / DATABASE).resolve().as_uri() + "?mode=ro&immutable=1"
            self._database = sqlite3.connect(address, uri=True, check_same_thread=False)
            self._vectors = np.load(folder / MEANING, mmap_mode="r")
            rows = [
                (vector, *map(sys.intern, shared))
                for vector, *shared in self._database.execute(
                    "select vector, kind, topic, source from entry order by number"
                )
            ]
        except (OSError, ValueError, sqlite3.Error) as error:
            raise DataError(f"The library in {folder} can't be opened ({error}).") from error
        self._vector_of = np.array([row[0] for row in rows], np.int32)
        kinds: dict[str, int] = {}
        self._kind_of = np.array([kinds.setdefault(row[1], len(kinds)) for row in rows], np.int32)
        self._kinds = kinds
        heads: dict[tuple[str, str], int] = {}
        firsts = [heads.setdefault((row[3], row[2]), number) == number for number, row in enumerate(rows)]
        self._is_overview = np.array(firsts)
        self._rare = np.array([row[3] in RARE_SOURCES for row in rows])
        topics: dict[str, int] = {}
        self._topic_of = np.array([topics.setdefault(row[2].casefold(), len(topics)) for row in rows], np.int32)
        self._topics = topics
        self._topic_words = [
            tuple((word, name_word(word)) for word in words(topic) if word not in STOP_WORDS) for topic in topics
        ]
        self._count = len(rows)
        self._vocabulary = Vocabulary(self._database, len(rows))
        self._stemmer = Stemmer()
        self._stem = lru_cache(65536)(lambda word: self._stemmer([word])[0])

    def close(self) -> None:
        """Close the files; a search afterwards raises DataError."""
        with self._lock:
            self._database.close()
            self._stemmer.close()

    def search(self, question: str, count: int = 5) -> Found:
        """Return up to `count` passages for a question, each of another entry, best first.

        Raises DataError if the library can no longer be read.
        """
        with self._reading():
            return self._search(question, count)

    def by_words(self, question: str, count: int) -> list[int]:
        """Return the numbers of up to `count` entries by the index of words alone, best first."""
        with self._reading():
            asked = take_apart(question)
            scores = self._by_words({word: self._vocabulary.weight(word) for word in asked.content})
            return [int(number) for number in (-scores).argsort(kind="stable")[:count] if scores[number]]

    def signs(self, question: str) -> tuple[str, Signs] | None:
        """Return the topic of the first entry for a question, and the evidence for it; None if nothing is found.

        Raises DataError as `search`.
        """
        with self._reading():
            asked, weights, ordered = self._ordered(question, 1)
            if not ordered:
                return None
            first = ordered[0]
            (topic,) = self._database.execute("select topic from entry where number = ?", (first.number,)).fetchone()
            return topic, self._signs(first, asked, weights)

    def references(self, found: Found) -> tuple[str, ...]:
        """Return the whole answers of the hits on the first hit's topic; () if nothing fits."""
        ids = [hit.passage.id.rpartition("#")[0] for hit in found.compared]
        if not ids:
            return ()
        with self._reading():
            rows = [self._database.execute("select answer from entry where id = ?", (id,)).fetchone() for id in ids]
        return tuple(row[0] for row in rows if row)

    def passage(self, id: str) -> Passage | None:
        """Return the passage of an id ("GHR/0000804-1#2"), None if there is none; raises DataError as `search`."""
        entry, _, place = id.rpartition("#")
        with self._reading():
            row = self._database.execute(
                "select number, start, stop from entry join passage on entry = number where id = ? and place = ?",
                (entry, int(place) - 1 if place.isdigit() else -1),
            ).fetchone()
            return self._passage(*row, place=int(place)) if row else None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Hold the lock; errors of the files become a DataError."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError, ValueError) as error:
                raise DataError(f"The library in {self.folder} can no longer be read ({error}).") from error

    def _search(self, question: str, count: int) -> Found:
        asked, weights, ordered = self._ordered(question, max(count, 1))
        hits = tuple(self._hit(candidate, weights) for candidate in ordered[:count])
        sure = confidence(self._signs(ordered[0], asked, weights)) if ordered else 0.0
        return Found(question, hits, fits(sure), sure)

    def _ordered(self, question: str, count: int) -> tuple[Asked, Mapping[str, float], Sequence[Candidate]]:
        """Return what a question asks, the weights of its words, and the `count` entries that answer it best."""
        asked = take_apart(question, self._vocabulary.mend)
        weights = {word: self._vocabulary.weight(word) for word in asked.content}
        if not asked.words:
            return asked, weights, []
        return asked, weights, order(self._candidates(asked, weights), count, asks_kind=bool(asked.kinds))

    def _candidates(self, asked: Asked, weights: Mapping[str, float]) -> Candidates:
        import numpy as np

        by_words, total = self._by_words(weights), math.fsum(weights.values())
        likeness = (self._vectors @ self._encode(asked.gist(weights, MOST_ENCODED)))[self._vector_of]
        named = self._named(asked)
        chosen = np.zeros(self._count, bool)
        chosen[_most(by_words, BY_WORDS)] = True
        chosen &= by_words > 0
        chosen[_most(likeness, BY_MEANING)] = True
        chosen |= np.isin(self._topic_of, list(named))
        number = chosen.nonzero()[0]
        topics = self._topic_of[number].tolist()
        have = set(map(name_word, asked.words))
        if not have.isdisjoint(ILLNESS):
            have.update(ILLNESS)
        shares = {topic: self._covered(topic, have) for topic in set(topics)}
        covered = np.array([shares[topic] for topic in topics])
        name = np.array([named.get(topic, 0.0) for topic in topics])
        return Candidates(
            number=number,
            words=by_words[number] / (by_words.max() or 1.0),
            likeness=likeness[number],
            name=name / max(named.values(), default=1.0),
            name_share=name / (total or 1.0),
            covered=covered,
            unnamed=(1 - covered) * self._rare[number],
            asked_kind=np.isin(self._kind_of[number], [self._kinds[kind] for kind in asked.kinds & self._kinds.keys()]),
            is_overview=self._is_overview[number],
        )

    def _covered(self, topic: int, have: Collection[str]) -> float:
        """Return the share, by weight, of a topic's name that is among `have`, words as `name_word` returns them."""
        parts = [(self._vocabulary.weight(word), plain) for word, plain in self._topic_words[topic]]
        total = sum(weight for weight, _ in parts)
        return sum(weight for weight, plain in parts if plain in have) / total if total else 0.0

    def _by_words(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return BM25's score of each entry for a question's rarest words."""
        terms = sorted(weights, key=weights.__getitem__, reverse=True)[:MOST_TERMS]
        return add_up(self._database, map(self._stem, terms), self._count)

    def _named(self, asked: Asked) -> dict[int, float]:
        """Return topics whose name is in the question, by number, with the name's weight; the longest name counts."""
        spans = list(asked.spans())
        keys = {key for _, _, key in spans}
        known: dict[str, list[str]] = {}
        listed = sorted(keys)
        for first in range(0, len(listed), 500):
            some = listed[first : first + 500]
            marks = ",".join("?" * len(some))
            for key, topic in self._database.execute(f"select key, topic from name where key in ({marks})", some):
                known.setdefault(key, []).append(topic)
        taken: list[tuple[int, int]] = []
        named: dict[int, float] = {}
        weak: dict[int, float] = {}
        kept, content, about = asked.named_words(), set(asked.content), set(asked.about)
        for start, stop, key in spans:
            parts = kept[start:stop]
            if key not in known or content.isdisjoint(parts) or any(a <= start and stop <= b for a, b in taken):
                continue
            taken.append((start, stop))
            weight = sum(map(self._vocabulary.weight, parts))
            # "Surgery" and "Medicines" are topics too, but a disease named beside them is what the question is about.
            into = weak if about.isdisjoint(parts) else named
            for topic in known[key]:
                number = self._topics[topic]
                into[number] = max(into.get(number, 0.0), weight)
        return named or weak

    def _signs(self, first: Candidate, asked: Asked, weights: Mapping[str, float]) -> Signs:
        """Return the evidence that the first entry is about what was asked."""
        row = self._database.execute("select question, topic, answer from entry where number = ?", (first.number,))
        question, topic, answer = row.fetchone()
        keys = {key for (key,) in self._database.execute("select key from name where topic = ?", (topic.casefold(),))}
        names = {word for key in keys for word in key.split()}
        have = set(words(f"{question} {topic} {answer}"))
        if not names.isdisjoint(ILLNESS):
            names |= set(ILLNESS)
        about = {word: weights[word] for word in asked.about}
        known = {word for word in about if {word, name_word(word), f"{word}s"} & have or name_word(word) in names}
        beside = asked.beside(keys)
        unknown = (about[word] for word in beside or () if word in about and name_word(word) not in names)
        return Signs(
            likeness=first.likeness,
            topical=share_of(known, about),
            named=beside is not None,
            qualified=max(unknown, default=0.0) / math.log(1 + self._count),
            clash=clashes({name_word(word) for word in asked.words}, names),
            unnamed=first.unnamed > UNNAMED,
        )

    def _hit(self, candidate: Candidate, weights: Mapping[str, float]) -> Hit:
        rows = self._database.execute(
            "select place, start, stop from passage where entry = ? order by place", (candidate.number,)
        ).fetchall()
        (answer,) = self._database.execute("select answer from entry where number = ?", (candidate.number,)).fetchone()
        texts = [words(answer[start:stop]) for _, start, stop in rows]
        place = best_passage(texts, weights)
        _, start, stop = rows[place]
        passage = self._passage(candidate.number, start, stop, place=place + 1)
        return Hit(passage, candidate.score, candidate.likeness)

    def _passage(self, number: int, start: int, stop: int, *, place: int) -> Passage:
        row: Any = self._database.execute(
            "select id, question, substr(answer, ?, ?), source, address, topic, kind from entry where number = ?",
            (start + 1, stop - start, number),
        ).fetchone()
        id, question, text, source, address, topic, kind = row
        return Passage(
            id=f"{id}#{place}",
            text=text,
            question=question,
            topic=topic,
            kind=kind,
            source=source,
            institute=INSTITUTES.get(source, source),
            address=address,
        )


def _most(values: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the `count` greatest values, unordered."""
    return (-values).argpartition(min(count, len(values)) - 1)[:count]
