"""Prepared splits as every stage reads them: sealed by a manifest, used only as they were written.

`training.prepare_medquad` writes the folder; training and evaluation read it here.

    data/medquad/manifest.json                 counts, fingerprint, SHA-256 of every file
    data/medquad/{train,val,test,grpo}.jsonl   the study's split, one Example a line
    data/medquad/distinct/….jsonl              the same rows, no question in two splits
    data/medquad/clean/….jsonl                 of those, what teaches answers, and two sealed parts: known, new
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from medilite.errors import DataError, suggestion
from medilite.records import Example

MANIFEST = "manifest.json"
DISTINCT, CLEAN = "distinct", "clean"
FOLDERS = {"study": "", DISTINCT: DISTINCT, CLEAN: CLEAN}
"""Where each set of splits is, relative to the output folder."""

SPLITS = ("train", "val", "test", "grpo")
SEALED = ("known", "new")
"""Parts of the clean set that are for reporting alone (docs/protocol.md)."""

SPLITS_OF = {"study": SPLITS, DISTINCT: SPLITS, CLEAN: (*SPLITS, *SEALED)}
CHOOSING = ("train", "val", "grpo")
"""Splits that may train or choose."""

FORMAT = 2
_READABLE = (1, FORMAT)
"""Format 1 had no clean set."""

_FIRST_SETS = ("study", DISTINCT)
"""The sets that a manifest's own fingerprint covers: adapters and boards from before the clean set name it."""

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
        sets = manifest["sets"]
        sound = manifest["format"] in _READABLE and manifest["fingerprint"] == fingerprint_of_sets(sets, _FIRST_SETS)
        if CLEAN in sets:
            sound &= sets[CLEAN]["fingerprint"] == fingerprint_of_sets(sets, [CLEAN])
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise DataError(f"{path} is of another version, or was changed after it was written. {remedy}")
    return manifest


def data_fingerprint(folder: Path | str, set_name: str) -> str:
    """Return the fingerprint of a set of splits: the manifest's own, or the clean set's.

    Raises DataError as `load_manifest` does, and where the folder has no clean set.
    """
    manifest = load_manifest(folder)
    if set_name in _FIRST_SETS:
        return str(manifest["fingerprint"])
    _require_set(manifest, set_name, folder)
    return str(manifest["sets"][set_name]["fingerprint"])


def load_split_for_choosing(folder: Path | str, name: str) -> list[Example]:
    """Return a split that training, or the choice of a checkpoint, parent or configuration, may use.

    Raises DataError for test splits and sealed parts: what chooses is never what is reported.
    """
    if name in (*SPLITS, *SEALED) and name not in CHOOSING:
        raise DataError(
            f"The split {name!r} is for reporting: it trains nothing and chooses nothing (docs/protocol.md). To choose "
            f"a configuration, a checkpoint or a parent, use val. Splits for that: {', '.join(CHOOSING)}."
        )
    return load_split(folder, name)


def load_split(folder: Path | str, name: str) -> list[Example]:
    """Return one split, of the study's set or, in `folder`/distinct or `folder`/clean, of that one.

    Raises DataError if folder, split or file is missing, or if the file is not
    the one that the manifest seals (changed by hand, or left by another run).
    """
    folder = Path(folder)
    home, set_name = _home_and_set(folder)
    there = SPLITS_OF[set_name]
    if name not in there:
        raise DataError(f"There is no split {name!r}.{suggestion(name, there)} Splits: {', '.join(there)}.")
    manifest = load_manifest(folder)
    _require_set(manifest, set_name, home)
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
    """Return a question with case and white space folded, which is equal for two spellings of one question."""
    return fold(question).casefold()


def fingerprint(hashes: Mapping[str, str]) -> str:
    """Return one hash for all files, from each file's SHA-256 by name."""
    return hashlib.sha256("".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()).hexdigest()


def fingerprint_of_sets(sets: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the fingerprint of some sets' files, from what a manifest's "sets" says of them."""
    return fingerprint(
        {file_name(name, split): sets[name]["splits"][split]["sha256"] for name in names for split in SPLITS_OF[name]}
    )


def file_name(set_name: str, split: str) -> str:
    """Return where a split is, relative to the folder of the manifest."""
    subfolder = FOLDERS[set_name]
    return f"{subfolder}/{split}.jsonl" if subfolder else f"{split}.jsonl"


def _home_and_set(folder: Path) -> tuple[Path, str]:
    if folder.name in (DISTINCT, CLEAN) and not (folder / MANIFEST).exists():
        return folder.parent, folder.name
    return folder, "study"


def _require_set(manifest: Mapping[str, Any], set_name: str, folder: Path | str) -> None:
    if set_name not in manifest["sets"]:
        why = manifest.get("no_clean_set") or "it was prepared by an older version"
        raise DataError(
            f"{folder} has no clean set ({why}). Prepare it from MedQuAD's XML documents, an archive of "
            f"https://github.com/abachaa/MedQuAD, which name synonyms: {COMMAND.format(folder=folder)}"
        )
