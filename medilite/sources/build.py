"""Build a library from a collection: passages, an index of words, an index of meaning.

The index of meaning takes the time: every distinct question goes through the
sentence encoder. Its parts are saved as they are made, so a stopped build
resumes. The library gets its name only once it is complete; two builds at the
same time make one.
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
from medilite.sources.layout import DATABASE, FORMAT, MEANING, SCHEMA, is_whole, write_manifest
from medilite.sources.names import names_of
from medilite.sources.passages import cut_passages
from medilite.sources.postings import write_postings
from medilite.sources.records import About, Entry

if TYPE_CHECKING:
    import numpy as np

PART = 1024
"""Questions encoded between two saves: the most that a stopped build loses."""

_WORDS_SHARE = 0.1
"""Share of the progress bar for passages and words; the rest is for the index of meaning."""


def library_name(about: About) -> str:
    """Return the folder name of a collection's library; it depends on the collection, the format and the encoder."""
    return f"{about.title.lower()[:40].replace('/', '-')}-{about.fingerprint[:12]}-{PACKAGE.sha256[:6]}-v{FORMAT}"


def build_library(
    entries: Sequence[Entry],
    about: About,
    shelf: Path,
    encoder: Encoder,
    on_progress: ProgressCallback = lambda _: None,
) -> Path:
    """Return the folder of the library of `entries` under `shelf`; build it unless it is there and complete.

    `encoder` makes the vectors of questions. Raises DataError if the disk refuses;
    the next call resumes from what is done by then.
    """
    from filelock import FileLock

    target = shelf / library_name(about)
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        with FileLock(shelf / f"{target.name}.lock"):
            if is_whole(target):
                return target
            half = shelf / f"{target.name}.half"
            half.mkdir(exist_ok=True)
            on_progress(LoadProgress("Indexing the words of the library", 0.0))
            counts = _write_database(half / DATABASE, entries)
            vectors = _encode(half, distinct_questions(entries), encoder, on_progress)
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
    on_progress(LoadProgress("The library is ready", 1.0))
    return target


def distinct_questions(entries: Sequence[Entry]) -> list[str]:
    """Return the questions of `entries` in order, each once: one row of the index of meaning each."""
    return list(dict.fromkeys(entry.question for entry in entries))


def _write_database(path: Path, entries: Sequence[Entry]) -> dict[str, int]:
    """Write entries, passages, names and the index of words; return the number of each."""
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
    """Yield what the index of words has of each entry: its number, question, all its names, and answer."""
    for number, entry in enumerate(entries):
        called = " ; ".join(sorted(names[entry.topic.casefold()] if entry.topic else ()))
        yield number, entry.question, f"{entry.topic} ; {called}", entry.answer


def _encode(half: Path, questions: Sequence[str], encoder: Encoder, on_progress: ProgressCallback) -> np.ndarray:
    """Return the vectors of `questions`, part by part; a part that is on the disk is read instead."""
    import numpy as np

    folder = half / "parts"
    folder.mkdir(exist_ok=True)
    parts = []
    for first in range(0, len(questions), PART):
        batch = questions[first : first + PART]
        done = first / len(questions)
        on_progress(LoadProgress(f"Reading the library: {first:,} of {len(questions):,} questions", _share(done)))
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
