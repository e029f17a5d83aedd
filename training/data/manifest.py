"""Splits on disk and the manifest that seals them, written whole; `medilite.data` reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from medilite.data import (
    CLEAN,
    DISTINCT,
    FOLDERS,
    FORMAT,
    MANIFEST,
    SEALED,
    file_name,
    fingerprint,
    fingerprint_of_sets,
    load_manifest,
    load_split,
)  # fmt: skip
from medilite.files import write_whole
from medilite.records import Example

__all__ = ["DISTINCT", "FOLDERS", "MANIFEST", "Sets", "load_manifest", "load_split", "write_splits", "write_whole"]
"""Reading is medilite.data's; its names are here too, for the stages that read and write."""

Sets = Mapping[str, Mapping[str, Sequence[Example]]]
"""Examples by set ("study", "distinct", "clean") and split."""


def write_splits(folder: Path, sets: Sets, about: Mapping[str, Any], about_sets: Mapping[str, Any]) -> dict[str, Any]:
    """Write every split and, last of all, the manifest; return the manifest.

    Each file appears under its name only once it is complete. The manifest is
    `about`, the fingerprint, and under "sets" what `about_sets` says of each set
    with the rows and SHA-256 of its files; the clean set has fingerprints of its
    own. It holds no date and no path, so one
    source gives one manifest. Raises DataError if the folder can't be written.
    """
    files = {
        file_name(set_name, split): _encode(examples)
        for set_name, splits in sets.items()
        for split, examples in splits.items()
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest: dict[str, Any] = {"format": FORMAT, **about, "fingerprint": "", "sets": {}}
    for set_name, splits in sets.items():
        sealed = {
            split: {"rows": len(examples), "sha256": hashes[file_name(set_name, split)]}
            for split, examples in splits.items()
        }
        manifest["sets"][set_name] = {"splits": sealed, **about_sets[set_name]}
    manifest["fingerprint"] = fingerprint_of_sets(manifest["sets"], [name for name in sets if name != CLEAN])
    if CLEAN in sets:
        of_sealed = {file_name(CLEAN, split): hashes[file_name(CLEAN, split)] for split in SEALED}
        manifest["sets"][CLEAN] |= {
            "fingerprint": fingerprint_of_sets(manifest["sets"], [CLEAN]),
            "sealed_fingerprint": fingerprint(of_sealed),
        }
    files[MANIFEST] = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
    for name, content in files.items():
        write_whole(folder / name, content)
    return manifest


def _encode(examples: Sequence[Example]) -> bytes:
    lines = (json.dumps(asdict(example), ensure_ascii=False, separators=(",", ":")) for example in examples)
    return "".join(f"{line}\n" for line in lines).encode()
