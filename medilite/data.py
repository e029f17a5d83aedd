"""Prepared splits as every stage reads them: sealed by a manifest, used only as they were written.

`training.prepare_medquad` writes the folder; training and evaluation read it here.

    data/medquad/manifest.json                 counts, fingerprint, SHA-256 of every file
    data/medquad/{train,val,test,grpo}.jsonl   the study's split, one Example a line
    data/medquad/distinct/….jsonl              the same rows, no question in two splits
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from medilite.errors import DataError, suggestion
from medilite.records import Example

MANIFEST = "manifest.json"
DISTINCT = "distinct"
FOLDERS = {"study": "", DISTINCT: DISTINCT}
"""Where each set of splits stands under the output folder."""

SPLITS = ("train", "val", "test", "grpo")

FORMAT = 1
COMMAND = "python -m training.prepare_medquad --source PATH|kaggle|hub --out {folder}"

_FIELDS = tuple(field.name for field in fields(Example))


def load_manifest(folder: Path | str) -> dict[str, Any]:
    """Return the manifest of a folder that prepare_medquad wrote; its "fingerprint" names the content of all splits.

    The subfolder of the set without shared questions may be given as well.
    Raises DataError if there is no manifest, naming the command that makes one,
    or if it contradicts itself.
    """
    folder = Path(folder)
    home, _ = _home_and_set(folder)
    path = home / MANIFEST
    remedy = f"Prepare the data: {COMMAND.format(folder=home)}"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = f"{home} holds no {MANIFEST}" if home.is_dir() else f"There is no folder {home}"
        raise DataError(f"{what}. {remedy}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read ({error}). {remedy}") from error
    try:
        hashes = {
            file_name(set_name, split): manifest["sets"][set_name]["splits"][split]["sha256"]
            for set_name in FOLDERS
            for split in SPLITS
        }
        sound = manifest["format"] == FORMAT and manifest["fingerprint"] == fingerprint(hashes)
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise DataError(f"{path} is of another version, or was changed after it was written. {remedy}")
    return manifest


def load_split(folder: Path | str, name: str) -> list[Example]:
    """Return one split ("train", "val", "test" or "grpo"), of the study's set or, in `folder`/distinct, of the other.

    Raises DataError if folder, split or file is missing, or if the file is not
    the one that the manifest seals (changed by hand, or left by another run).
    """
    folder = Path(folder)
    if name not in SPLITS:
        raise DataError(f"There is no split {name!r}.{suggestion(name, SPLITS)} Splits: {', '.join(SPLITS)}.")
    manifest = load_manifest(folder)
    home, set_name = _home_and_set(folder)
    path = home / file_name(set_name, name)
    remedy = f"Prepare the data again: {COMMAND.format(folder=home)}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror or error}). {remedy}") from error
    if hashlib.sha256(content).hexdigest() != manifest["sets"][set_name]["splits"][name]["sha256"]:
        raise DataError(
            f"{path} is not the file that {MANIFEST} describes: its fingerprint differs, so it was changed after "
            f"it was written and results on it could not be traced. {remedy}"
        )
    # Not splitlines(): it would also break at the Unicode line separators that texts may hold.
    return [Example(**{key: row[key] for key in _FIELDS}) for row in map(json.loads, content.split(b"\n")[:-1])]


def fold(text: str | None) -> str:
    """Return the text with every run of white space made one space, and none at its ends."""
    return " ".join((text or "").split())


def question_key(question: str) -> str:
    """Return what two spellings of one question share: case and white space folded."""
    return fold(question).casefold()


def fingerprint(hashes: Mapping[str, str]) -> str:
    """Return the one hash that stands for all files, from each file's SHA-256 by name."""
    return hashlib.sha256("".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()).hexdigest()


def file_name(set_name: str, split: str) -> str:
    """Return where a split stands, relative to the folder of the manifest."""
    subfolder = FOLDERS[set_name]
    return f"{subfolder}/{split}.jsonl" if subfolder else f"{split}.jsonl"


def _home_and_set(folder: Path) -> tuple[Path, str]:
    if folder.name == DISTINCT and not (folder / MANIFEST).exists():
        return folder.parent, DISTINCT
    return folder, "study"
