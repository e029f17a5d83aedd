"""Making a library of a collection: passages, an index of words, an index of meaning.

What takes time is the index of meaning: every distinct question goes through
the sentence encoder. Its parts are kept as they are made, so that a build that
was stopped goes on where it was. The library appears under its name only once
it is whole; two builds at once end with one.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medilite.content.embeddings import PACKAGE, Encoder
from medilite.content.words import words
from medilite.errors import DataError
from medilite.progress import LoadProgress, ProgressCallback
from medilite.sources.layout import DATABASE, FORMAT, MEANING, SCHEMA, read_manifest, write_manifest
from medilite.sources.names import names_of
from medilite.sources.passages import cut_passages
from medilite.sources.postings import write_postings
from medilite.sources.records import About, Entry

if TYPE_CHECKING:
    import numpy as np

PART = 1024
"""Questions encoded between two looks at the clock: what a stopped build loses at most."""

_WORDS_SHARE = 0.1
"""Of the progress bar, what passages and words take; the rest is the index of meaning."""


def library_name(about: About) -> str:
    """Return the folder's name of a collection's library: another collection, format or encoder is another folder."""
    return f"{about.title.lower()[:40].replace('/', '-')}-{about.fingerprint[:12]}-{PACKAGE.sha256[:6]}-v{FORMAT}"


def build_library(
    entries: Sequence[Entry],
    about: About,
    shelf: Path,
    encoder: Encoder,
    tell: ProgressCallback = lambda _: None,
) -> Path:
    """Return the folder of the library of `entries` under `shelf`, made if it isn't there, whole.

    `encoder` makes the vectors of questions. Raises DataError where the disk
    refuses; what was made until then is gone on from at the next call.
    """
    from filelock import FileLock

    target = shelf / library_name(about)
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        with FileLock(shelf / f"{target.name}.lock"):
            if _is_whole(target):
                return target
            half = shelf / f"{target.name}.half"
            half.mkdir(exist_ok=True)
            tell(LoadProgress("Indexing the words of the library", 0.0))
            counts = _write_database(half / DATABASE, entries)
            vectors = _encode(half, distinct_questions(entries), encoder, tell)
            _write_vectors(half / MEANING, vectors)
            write_manifest(half, about, PACKAGE.pin, {**counts, "questions": len(vectors)})
            shutil.rmtree(half / "parts")
            if target.exists():
                shutil.rmtree(target)
            half.rename(target)
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(
            f"The library can't be written to {shelf} ({why}). Make room (it takes about 100 MB) or set "
            "MEDILITE_CACHE_DIR to a folder that has it; what is done so far is kept."
        ) from error
    tell(LoadProgress("The library is ready", 1.0))
    return target


def _is_whole(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except DataError:
        return False
    return True


def distinct_questions(entries: Sequence[Entry]) -> list[str]:
    """Return the questions of `entries` in order, each once: row by row what the index of meaning has vectors of."""
    return list(dict.fromkeys(entry.question for entry in entries))


def _write_database(path: Path, entries: Sequence[Entry]) -> dict[str, int]:
    """Write entries, passages, names and the index of words; return how many of each."""
    path.unlink(missing_ok=True)
    vectors = {question: number for number, question in enumerate(distinct_questions(entries))}
    names: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.topic:
            names[entry.topic.casefold()] |= names_of(entry.topic, entry.answer, entry.names)
    frequency: Counter[str] = Counter()
    passages = 0
    with sqlite3.connect(path) as database:
        database.executescript("pragma journal_mode=off; pragma synchronous=off;" + SCHEMA)
        for number, entry in enumerate(entries):
            frequency.update(set(words(f"{entry.question} {entry.topic} {entry.answer}")))
            cuts = cut_passages(entry.answer)
            passages += len(cuts)
            database.execute(
                "insert into entry values (?,?,?,?,?,?,?,?,?)",
                (
                    *(number, entry.id, entry.question, entry.answer, entry.source, entry.address),
                    *(entry.topic, entry.kind, vectors[entry.question]),
                ),
            )
            database.executemany(
                "insert into passage values (?,?,?,?)", ((number, i, cut.start, cut.end) for i, cut in enumerate(cuts))
            )
        database.executemany(
            "insert into name values (?,?)", ((key, topic) for topic, keys in names.items() for key in sorted(keys))
        )
        database.executemany("insert into word values (?,?)", frequency.items())
        database.commit()
        spelt = {word for keys in names.values() for key in keys for word in key.split()}
        write_postings(database, _fields(entries, names), sorted(spelt | frequency.keys()))
    database.close()
    return {"entries": len(entries), "passages": passages, "topics": len(names)}


def _fields(entries: Sequence[Entry], names: Mapping[str, set[str]]) -> Iterator[tuple[int, str, str, str]]:
    """Yield what of each entry is indexed: its number, question, all its names, and answer."""
    for number, entry in enumerate(entries):
        called = " ; ".join(sorted(names[entry.topic.casefold()] if entry.topic else ()))
        yield number, entry.question, f"{entry.topic} ; {called}", entry.answer


def _encode(half: Path, questions: Sequence[str], encoder: Encoder, tell: ProgressCallback) -> np.ndarray:
    """Return the vectors of `questions`, part by part; a part that is on the disk is not made again."""
    import numpy as np

    folder = half / "parts"
    folder.mkdir(exist_ok=True)
    parts = []
    for first in range(0, len(questions), PART):
        batch = questions[first : first + PART]
        done = first / len(questions)
        tell(LoadProgress(f"Reading the library: {first:,} of {len(questions):,} questions", _share(done)))
        path = folder / f"{first}.npy"
        part = _read_part(path, len(batch))
        if part is None:
            part = encoder.encode(batch).astype(np.float32)
            temporary = path.with_suffix(".tmp")
            with temporary.open("wb") as file:
                np.save(file, part)
            temporary.rename(path)
        parts.append(part)
    return np.concatenate(parts)


def _read_part(path: Path, rows: int) -> np.ndarray | None:
    import numpy as np

    try:
        part = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return part if part.ndim == 2 and len(part) == rows else None


def _share(done: float) -> float:
    return _WORDS_SHARE + (1 - _WORDS_SHARE) * done


def _write_vectors(path: Path, vectors: np.ndarray) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.save(file, vectors)
