"""A board on disk: every file of it written whole and the same each time, tables as JSON and Parquet."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.tables import Row
from medilite.errors import DataError
from medilite.files import write_whole
from medilite.leaderboard import ANSWERS_FILE, BOARD_FILE, FLOORS_FILE, QUESTIONS_FILE, SCORES_FILE

Columns = Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class BoardFiles:
    """What a board's folder holds; a reported board has no questions, answers and scores."""

    about: Mapping[str, Any]
    tables: Mapping[str, Sequence[Row]]
    questions: Mapping[str, Columns] | None = None
    answers: Sequence[Row] = field(default_factory=tuple)
    scores: Mapping[str, Columns] | None = None
    floors: Mapping[str, Columns] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write all files, board.json last."""
        for name, content in self.contents().items():
            write_whole(folder / name, content)

    def contents(self) -> dict[str, bytes]:
        """Return every file's content by name."""
        files: dict[str, bytes] = {}
        for name, rows in self.tables.items():
            files[f"{name}.json"] = json_rows(rows)
            files[f"{name}.parquet"] = parquet(columns_of(rows))
        if self.questions is not None and self.scores is not None:
            files[QUESTIONS_FILE] = _json(self.questions)
            files[ANSWERS_FILE] = _gzip(b"".join(_json(answer) for answer in self.answers))
            files[SCORES_FILE] = _gzip(_json(self.scores))
            files[FLOORS_FILE] = _gzip(_json(self.floors))
            files["scores.parquet"] = parquet(flat(self.scores))
        files[BOARD_FILE] = (json.dumps(self.about, ensure_ascii=False, indent=1) + "\n").encode()
        return files


def json_rows(rows: Iterable[Row]) -> bytes:
    """Return an array of objects, one a line, so that a diff shows what changed."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    return f"[\n{lines}\n]\n".encode()


def columns_of(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return one list a column; {} without rows."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def flat(scores: Mapping[str, Columns]) -> dict[str, list[Any]]:
    """Return the columns of all splits one below the other, after a column `split`."""
    together: dict[str, list[Any]] = {"split": []}
    for split, columns in scores.items():
        together["split"] += [split] * len(columns["qid"])
        for name, values in columns.items():
            together.setdefault(name, []).extend(values)
    return together


def parquet(columns: Mapping[str, list[Any]]) -> bytes:
    """Return the columns as a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(dict(columns)), out, compression="zstd")
    return out.getvalue()


def read_parquet(path: Path) -> dict[str, list[Any]]:
    """Return a Parquet file's columns; raises DataError if it is missing or broken."""
    import pyarrow
    import pyarrow.parquet

    try:
        columns: dict[str, list[Any]] = pyarrow.parquet.read_table(path).to_pydict()
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path} can't be read ({error}). Restore it, or make it: make leaderboard") from error
    return columns


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n").encode()


def _gzip(content: bytes) -> bytes:
    # Without a time, so that one content is one file.
    return gzip.compress(content, compresslevel=9, mtime=0)
