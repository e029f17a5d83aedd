"""The index of words: BM25's score of each word in each entry, computed by SQLite's FTS5 when the library is built.

A search only adds up stored scores, which gives FTS5's own order in a tenth of
its time: FTS5 reads and scores every entry that has any of the words.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

FIELD_WEIGHTS = (4.0, 8.0, 1.0)
"""BM25's weights of question, names and answer."""

TOKENIZER = "porter unicode61 remove_diacritics 2"


class Stemmer:
    """The stems of words as FTS5 makes them; for one thread at a time."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.executescript(
            f"create virtual table word using fts5 (spelling, tokenize='{TOKENIZER}');"
            "create virtual table stem using fts5vocab (word, 'instance');"
        )

    def __call__(self, words: Sequence[str]) -> list[str]:
        """Return the stem of each word: the longer of two, as for "alzheimer's"; "" for punctuation alone."""
        self._database.execute("delete from word")
        self._database.executemany("insert into word (rowid, spelling) values (?,?)", enumerate(words))
        found = [""] * len(words)
        for number, stem in self._database.execute("select doc, term from stem"):
            found[number] = max(found[number], stem, key=len)
        return found

    def close(self) -> None:
        """Close its database."""
        self._database.close()


def write_postings(
    database: sqlite3.Connection, rows: Iterable[tuple[int, str, str, str]], words: Sequence[str]
) -> None:
    """Fill the table `posting` with the scores of `words` in (number, question, names, answer), entry by entry."""
    import numpy as np

    database.execute("attach '' as scratch")
    database.execute(
        f"create virtual table scratch.indexed using fts5 (question, names, answer, content='', tokenize='{TOKENIZER}')"
    )
    database.executemany("insert into indexed (rowid, question, names, answer) values (?,?,?,?)", rows)
    stemmer = Stemmer()
    pairs = sorted(zip(stemmer(words), words, strict=True))
    stemmer.close()
    for stem, some in groupby(pairs, key=lambda pair: pair[0]):
        # A stem's own stem may be another: FTS5 is asked for a word that has it, one that is no phrase.
        word = min((word for _, word in some), key=lambda word: ("'" in word, word))
        scores = database.execute(
            "select rowid, -bm25(indexed, ?, ?, ?) from indexed where indexed match ? order by rowid",
            (*FIELD_WEIGHTS, f'"{word}"'),
        ).fetchall()
        if scores:
            numbers, values = zip(*scores, strict=True)
            database.execute(
                "insert into posting values (?,?,?)",
                (stem, np.array(numbers, np.int32).tobytes(), np.array(values, np.float32).tobytes()),
            )
    database.commit()
    database.execute("detach scratch")


def add_up(database: sqlite3.Connection, stems: Iterable[str], count: int) -> np.ndarray:
    """Return BM25's score of each of the `count` entries for some stems: float32, (count,), 0 if it has none."""
    import numpy as np

    total = np.zeros(count, np.float32)
    for numbers, scores in _read(database, stems):
        total[np.frombuffer(numbers, np.int32)] += np.frombuffer(scores, np.float32)
    return total


def _read(database: sqlite3.Connection, stems: Iterable[str]) -> Iterator[tuple[bytes, bytes]]:
    for stem in dict.fromkeys(stems):
        yield from database.execute("select numbers, scores from posting where stem = ?", (stem,))
