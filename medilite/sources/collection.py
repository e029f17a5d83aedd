"""Read a collection: a table of questions and answers, MedQuAD's or your own.

Columns are found by name, whatever their order and case. `question` and
`answer` are needed; `source`, `address` (or `url`), `topic`, `kind`, `qid` and
`synonyms` (separated by `|`) are optional.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from medilite.errors import DataError
from medilite.files import write_whole
from medilite.packages import sha256_of
from medilite.sources.records import (
    INSTITUTES,
    MEDQUAD_CREDIT,
    MEDQUAD_DATE,
    MEDQUAD_LICENCE,
    About,
    Entry,
)

COLUMNS = {
    "question": ("question",),
    "answer": ("answer",),
    "source": ("source", "document_source", "institute"),
    "address": ("address", "url", "document_url", "link"),
    "topic": ("topic", "focus_area", "question_focus", "focus"),
    "kind": ("kind", "qtype", "question_type"),
    "id": ("id", "qid", "question_id"),
    "names": ("names", "synonyms"),
}
"""A field of an entry and the names that its column may have; the first one found is used."""

MOST_ANSWER_CHARS = 100_000
"""An answer longer than this is cut there: MedQuAD's longest has 30,000."""

COLLECTION = "collection.csv.gz"
"""The table in a folder of prepared data: every pair with its address (`training.prepare_medquad` writes it)."""

_LONGEST_FIELD = 1 << 24


def read_collection(path: Path) -> tuple[list[Entry], About]:
    """Read a table (.csv, .csv.gz, .parquet) of pairs; rows without question or answer are left out.

    Raises DataError, naming what is wrong, if it can't be read, has no columns
    question and answer, or no pair.
    """
    try:
        fingerprint = sha256_of(path)
    except OSError as error:
        raise DataError(f"The collection {path} can't be read ({error.strerror or error}).") from error
    entries = entries_of(read_rows(path), path.name)
    sources = {entry.source for entry in entries}
    if sources <= INSTITUTES.keys():
        return entries, About("MedQuAD", MEDQUAD_LICENCE, MEDQUAD_CREDIT, MEDQUAD_DATE, fingerprint)
    return entries, About(path.name.split(".")[0], fingerprint=fingerprint)


def save_collection(path: Path, entries: Sequence[Entry]) -> None:
    """Write entries as a table that `read_collection` reads; the same entries give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "question", "answer", "source", "topic", "kind", "address", "names"))
    for entry in entries:
        writer.writerow(
            (
                *(entry.id, entry.question, entry.answer, entry.source, entry.topic, entry.kind, entry.address),
                "|".join(entry.names),
            )
        )
    write_whole(path, gzip.compress(text.getvalue().encode(), 6, mtime=0))


def entries_of(rows: Iterable[Mapping[str, object]], name: str) -> list[Entry]:
    """Return the entries of a table's rows, each with a unique id; raises DataError as `read_collection`."""
    found: list[Entry] = []
    seen: dict[str, int] = {}
    columns: dict[str, str] = {}
    for row in rows:
        columns = columns or _find_columns(row, name)
        cells = {field: _cell(row.get(column)) for field, column in columns.items()}
        if not cells["question"].strip() or not cells["answer"].strip():
            continue
        own = (
            cells.get("id", "") or hashlib.sha256(f"{cells['question']}\x1f{cells['answer']}".encode()).hexdigest()[:16]
        )
        source = cells.get("source", "")
        qid = own if "/" in own or not source else f"{source}/{own}"
        seen[qid] = seen.get(qid, 0) + 1
        found.append(
            Entry(
                id=qid if seen[qid] == 1 else f"{qid}~{seen[qid]}",
                question=" ".join(cells["question"].split()),
                answer=cells["answer"].strip()[:MOST_ANSWER_CHARS],
                source=source,
                address=_safe_address(cells.get("address", "")),
                topic=" ".join(cells.get("topic", "").split()),
                kind=cells.get("kind", "").strip().casefold(),
                names=tuple(part.strip() for part in cells.get("names", "").split("|") if part.strip()),
            )
        )
    if not found:
        raise DataError(f"{name} has no pair of question and answer: a table with these two columns is needed.")
    return found


def read_rows(path: Path) -> Iterable[Mapping[str, object]]:
    """Yield the rows of a table by column; raises DataError as `read_collection`."""
    if path.suffix == ".parquet":
        return _parquet_rows(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"The collection {path} can't be read ({error.strerror or error}).") from error
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise DataError(f"{path} is not a complete gzip file ({error}). Get it again.") from error
    _refuse_other_formats(path, content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error}). Save it as UTF-8.") from error
    csv.field_size_limit(_LONGEST_FIELD)
    first = text.split("\n", 1)[0]
    return _csv_rows(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count)), path)


_ARCHIVES = {
    b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar",
    b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip", b"\x1f\x9d": "compress",
    b"\x04\x22\x4d\x18": "lz4",
}  # fmt: skip
"""The first bytes of other formats; a tar has its name at _TAR."""
_TAR = slice(257, 262)
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def _refuse_other_formats(path: Path, content: bytes) -> None:
    """Raise DataError, with what to do, for a workbook, an archive or another file that is not text."""
    archive = next((name for begin, name in _ARCHIVES.items() if content.startswith(begin)), None)
    archive = "tar" if content[_TAR] == b"ustar" else archive
    if content.startswith(_OLD_WORKBOOK) or (archive == "zip" and path.suffix.lower() in (".xlsx", ".ods")):
        raise DataError(f"{path} is a workbook, not a table. Save its sheet as CSV in UTF-8, and name that file.")
    if archive:
        raise DataError(
            f"{path} is an archive ({archive}), not a table. If it is MedQuAD as published, run "
            f"`make data SOURCE={path}` and set MEDILITE_SOURCES=auto; else unpack it and name the .csv, .csv.gz or "
            ".parquet file in it."
        )
    if content.startswith(b"%PDF-") or (b"\0" in content[:4096] and not content.startswith(_UTF_16)):
        raise DataError(f"{path} is not text. Name a table of questions and answers: .csv, .csv.gz or .parquet.")


def _csv_rows(reader: csv.DictReader[str], path: Path) -> Iterable[Mapping[str, object]]:
    try:
        yield from reader
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not a CSV ({error}).") from error


def _parquet_rows(path: Path) -> Iterable[Mapping[str, object]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(path).iter_batches(4096):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable Parquet file ({error}).") from error


def _find_columns(row: Mapping[str, object], name: str) -> dict[str, str]:
    by_name = {str(column).strip().casefold(): str(column) for column in row if column is not None}
    found = {
        field: next(by_name[known] for known in names if known in by_name)
        for field, names in COLUMNS.items()
        if any(known in by_name for known in names)
    }
    if missing := [field for field in ("question", "answer") if field not in found]:
        raise DataError(
            f"{name} has no column {' and no column '.join(missing)}: its columns are {', '.join(by_name) or 'none'}."
        )
    return found


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return "|".join(map(str, value))
    return "" if value is None else str(value)


def _safe_address(address: str) -> str:
    """Return a web address, or "": nothing else may become a link."""
    address = address.strip()
    return address if address.startswith(("https://", "http://")) and not any(map(str.isspace, address)) else ""
