"""Splits on disk and the manifest that seals them: written whole, read only if nothing has changed since."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from medilite.errors import DataError, suggestion
from medilite.records import Example
from training.data.splits import SPLITS

MANIFEST = "manifest.json"
DISTINCT = "distinct"
FOLDERS = {"study": "", DISTINCT: DISTINCT}
"""Where each set of splits stands under the output folder."""

FORMAT = 1
COMMAND = "python -m training.prepare_medquad --source PATH|kaggle|hub --out {folder}"

_FIELDS = tuple(field.name for field in fields(Example))

Sets = Mapping[str, Mapping[str, Sequence[Example]]]
"""Examples by set ("study", "distinct") and split."""


def write_splits(folder: Path, sets: Sets, about: Mapping[str, Any], about_sets: Mapping[str, Any]) -> dict[str, Any]:
    """Write every split and, last of all, the manifest; return the manifest.

    Each file appears under its name only once it is complete. The manifest is
    `about`, the fingerprint, and under "sets" what `about_sets` says of each set
    with the rows and SHA-256 of its files. It holds no date and no path, so one
    source gives one manifest. Raises DataError if the folder can't be written.
    """
    files = {
        _file_name(set_name, split): _encode(examples)
        for set_name, splits in sets.items()
        for split, examples in splits.items()
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = {"format": FORMAT, **about, "fingerprint": _fingerprint(hashes), "sets": {}}
    for set_name, splits in sets.items():
        sealed = {
            split: {"rows": len(examples), "sha256": hashes[_file_name(set_name, split)]}
            for split, examples in splits.items()
        }
        manifest["sets"][set_name] = {"splits": sealed, **about_sets[set_name]}
    files[MANIFEST] = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
    for name, content in files.items():
        write_whole(folder / name, content)
    return manifest


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that its name never stands for a part of it; raises DataError if the disk refuses."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror or error}). Give another folder with --out, or make room."
        ) from error
    finally:
        if temporary.exists():
            temporary.unlink()


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
            _file_name(set_name, split): manifest["sets"][set_name]["splits"][split]["sha256"]
            for set_name in FOLDERS
            for split in SPLITS
        }
        sound = manifest["format"] == FORMAT and manifest["fingerprint"] == _fingerprint(hashes)
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
    path = home / _file_name(set_name, name)
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


def _encode(examples: Sequence[Example]) -> bytes:
    lines = (json.dumps(asdict(example), ensure_ascii=False, separators=(",", ":")) for example in examples)
    return "".join(f"{line}\n" for line in lines).encode()


def _fingerprint(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()).hexdigest()


def _file_name(set_name: str, split: str) -> str:
    subfolder = FOLDERS[set_name]
    return f"{subfolder}/{split}.jsonl" if subfolder else f"{split}.jsonl"


def _home_and_set(folder: Path) -> tuple[Path, str]:
    if folder.name == DISTINCT and not (folder / MANIFEST).exists():
        return folder.parent, DISTINCT
    return folder, "study"
