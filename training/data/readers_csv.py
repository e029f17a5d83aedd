"""Pairs from a CSV: every row is read or reported by its line, none is dropped in silence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import IO

from medilite.data import fold
from medilite.errors import DataError
from training.data.collection import Collection, Problem, RawPair
from training.data.columns import find_columns
from training.data.progress import watched

DELIMITERS = ",;\t"

_UNDECODED = re.compile("[\udc80-\udcff]")


def read_csv(
    stream: IO[bytes], name: str, *, question_column: str | None = None, answer_column: str | None = None
) -> Collection:
    """Read a table of pairs: UTF-8 (or UTF-16 with its mark), comma, semicolon or tab, one row of column names.

    A row with the wrong number of fields, bytes that are no text, or a quote
    that is never closed becomes a problem that names its line; reading continues
    after it. Raises DataError if the table has no columns for question and
    answer, or no rows at all.
    """
    lines = _Lines(_as_text(stream, name))
    try:
        return _read(lines, name, question_column, answer_column)
    except UnicodeError as error:  # only UTF-16 ends here: UTF-8 is checked row by row
        raise DataError(f"{name} is not the text that it says it is ({error}). Save it as UTF-8.") from error


def _read(lines: _Lines, name: str, question_column: str | None, answer_column: str | None) -> Collection:
    delimiter = lines.guess_delimiter()
    records = _records(lines, delimiter, name)
    header = next(records, None)
    if header is None:
        raise DataError(f"{name} is empty: a first row with the names of the columns is needed.")
    if isinstance(header, Problem):
        raise DataError(f"{header.where}: the row of column names can't be read: {header.reason}.")
    names = header[1]
    columns = find_columns(names, name, question_column, answer_column)
    collection = Collection(name, "csv")
    for record in watched(records, f"reading {name}", "rows"):
        if isinstance(record, Problem):
            collection.problems.append(record)
            continue
        line, fields = record
        if not any(fields):
            continue  # a blank line, as many editors leave at the end
        where = f"{name}, line {line}"
        if len(fields) != len(names):
            collection.problems.append(Problem(where, f"{len(fields)} fields where {len(names)} are expected"))
        elif any(map(_UNDECODED.search, fields)):
            collection.problems.append(Problem(where, "bytes that are not UTF-8 (save the file as UTF-8)"))
        else:
            collection.pairs.append(RawPair.of({part: fold(fields[i]) for part, i in columns.items()}))
    collection.counts = {
        "rows_read": len(collection.pairs) + len(collection.problems),
        "rows_malformed": len(collection.problems),
    }
    return collection


class _Lines(Iterator[str]):
    """Lines of a text that can be pushed back, so that reading resumes after a broken record's first line."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._back: list[str] = []
        self.number = 0
        self.taken: list[str] = []

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._text)
        self.number += 1
        self.taken.append(line)
        return line

    def begin_record(self) -> int:
        """Forget what came before and return the number of the line that comes next."""
        self.taken = []
        return self.number + 1

    def keep_only_first(self) -> None:
        """Push back all but the first line of this record."""
        rest = self.taken[1:]
        self._back.extend(reversed(rest))
        self.number -= len(rest)
        self.taken = self.taken[:1]

    def guess_delimiter(self) -> str:
        """Return the delimiter that the first line uses most; a comma if it uses none."""
        first = next(self, "")
        self.begin_record()
        if first:
            self._back.append(first)
            self.number -= 1
        return max(DELIMITERS, key=first.count)


def _records(lines: _Lines, delimiter: str, name: str) -> Iterator[tuple[int, list[str]] | Problem]:
    """Yield (line, fields) for each record, or what is wrong with the line where it begins."""
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    while True:
        line = lines.begin_record()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # A quote left open swallows the rows that follow it, so they are read again from the next line on.
            lines.keep_only_first()
            yield Problem(f"{name}, line {line}", f"the quotes or fields are not those of a CSV ({error})")
            continue
        yield line, fields


def _as_text(stream: IO[bytes], name: str) -> IO[str]:
    head = stream.peek(64)[:64] if isinstance(stream, io.BufferedReader) else b""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if b"\x00" in head and encoding != "utf-16":
        raise DataError(f"{name} is not a CSV: it begins with binary data. Give a CSV in UTF-8, gzipped or not.")
    # Undecodable bytes survive as lone surrogates and are reported with their row instead of ending the run.
    return io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
