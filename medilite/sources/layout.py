"""The files of a library on the disk: their names, and the checks that they are complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from medilite.errors import DataError
from medilite.packages import sha256_of
from medilite.sources.records import About

FORMAT = 3
MANIFEST = "library.json"
DATABASE = "library.db"
MEANING = "meaning.npy"
FILES = (DATABASE, MEANING)

SCHEMA = """
create table entry (
    number integer primary key, id text not null, question text not null, answer text not null, source text not null,
    address text not null, topic text not null, kind text not null, vector integer not null
);
create table passage (entry integer not null, place integer not null, start integer not null, stop integer not null,
    primary key (entry, place)) without rowid;
create table name (key text not null, topic text not null, primary key (key, topic)) without rowid;
create table word (word text primary key, entries integer not null) without rowid;
create index entry_id on entry (id);
create index name_topic on name (topic);
create table posting (stem text primary key, numbers blob not null, scores blob not null);
"""


def write_manifest(folder: Path, about: About, encoder: str, counts: dict[str, int]) -> None:
    """Write the manifest of a folder whose files are all written: their SHA-256, their collection and the counts."""
    manifest = {
        "format": FORMAT,
        "encoder": encoder,
        "collection": {name: getattr(about, name) for name in About.__slots__},
        "counts": counts,
        "files": {name: sha256_of(folder / name) for name in FILES},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_manifest(folder: Path, *, whole: bool = True) -> dict[str, Any]:
    """Return the manifest of a built library; with `whole`, only if each file has its SHA-256.

    Raises DataError, saying what is wrong, for a folder that has no library, or
    one that is unfinished, damaged or of another version.
    """
    remedy = "Remove the folder, then run: python -m medilite sources build"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        found, files = manifest["format"], manifest["files"]
        About(**manifest["collection"])
        if found != FORMAT:
            raise DataError(f"The library in {folder} is of format {found}, this version reads {FORMAT}. {remedy}")
        damaged = [name for name in FILES if not (folder / name).is_file()]
        damaged += [name for name in FILES if whole and not damaged and sha256_of(folder / name) != files[name]]
    except FileNotFoundError as error:
        raise DataError(f"{folder} has no finished library: there is no {MANIFEST}. {remedy}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"The library in {folder} can't be read ({error}). {remedy}") from error
    if damaged:
        raise DataError(f"The library in {folder} is damaged ({', '.join(damaged)}). {remedy}")
    return manifest


def is_whole(folder: Path) -> bool:
    """Return whether a folder has a complete library of this version."""
    try:
        read_manifest(folder)
    except DataError:
        return False
    return True
