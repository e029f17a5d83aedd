"""What --source means: the word kaggle or hub, a folder, an archive or a table."""

from __future__ import annotations

import io
from pathlib import Path

from medilite.errors import DataError
from training.data.archives import archive_kind, members, open_decompressed, reading
from training.data.collection import Collection
from training.data.readers_csv import read_csv
from training.data.readers_remote import read_hub, read_kaggle
from training.data.readers_xml import read_xml

TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".txz", ".tbz2")
ACCEPTED = (
    "Give a folder or archive (zip, tar, tar.gz, tar.xz) of MedQuAD's XML documents, a CSV with columns question and "
    "answer (gzipped or not), or the word kaggle or hub"
)


def read_source(source: str, question_column: str | None = None, answer_column: str | None = None) -> Collection:
    """Read a source of any kind.

    A folder is read as XML documents if it holds any, or else as the one table
    or archive in it. Raises DataError, saying what is accepted, if it is none
    of these or holds no pair.
    """
    columns = {"question_column": question_column, "answer_column": answer_column}
    if source == "kaggle":
        collection = read_kaggle(**columns)
    elif source == "hub":
        collection = read_hub(**columns)
    else:
        path = Path(source).expanduser()
        if not path.exists():
            raise DataError(f"There is no {source!r}. {ACCEPTED}.")
        collection = _read_path(path, **columns)
    if not collection.pairs:
        malformed = [f"{problem.where}: {problem.reason}" for problem in collection.problems]
        why = f" (items malformed: {len(malformed):,}; the first: {malformed[0]})" if malformed else ""
        raise DataError(f"{collection.name} holds no question-answer pair{why}. {ACCEPTED}.")
    return collection


def _read_path(path: Path, **columns: str | None) -> Collection:
    if path.is_dir():
        if next((file for file in path.rglob("*") if file.suffix.lower() == ".xml"), None):
            return read_xml(members(path, (".xml",)), path.resolve().name)
        path = _only_file_in(path)
    if archive_kind(path) is None:
        with reading(path.name), open_decompressed(path) as stream:
            return read_csv(stream, path.name, **columns)
    collection = read_xml(members(path, (".xml",)), path.name)
    return collection if collection.counts["documents_read"] else _table_in_archive(path, **columns)


def _only_file_in(folder: Path) -> Path:
    """Return the one table of a folder without XML, or else its one archive."""
    for endings in (TABLES, ARCHIVES):
        found = sorted(file for file in folder.iterdir() if file.name.lower().endswith(endings))
        if len(found) == 1:
            return found[0]
        if found:
            raise DataError(f"{folder} holds several: {', '.join(file.name for file in found)}. Name one as --source.")
    raise DataError(f"{folder} holds no XML document, table or archive. {ACCEPTED}.")


def _table_in_archive(path: Path, **columns: str | None) -> Collection:
    """Read the one table of an archive without XML, as Kaggle's download button gives it."""
    tables = list(members(path, (".csv", ".tsv")))
    if len(tables) != 1:
        what = ", ".join(table.label for table in tables) or "no XML document and no table"
        raise DataError(f"{path.name} holds {what}. {ACCEPTED}.")
    table = tables[0]
    if table.error:
        raise DataError(f"{path.name}: {table.label} {table.error}.")
    name = f"{path.name}/{table.label}"
    return read_csv(io.BufferedReader(io.BytesIO(table.content)), name, **columns)  # type: ignore[arg-type]
