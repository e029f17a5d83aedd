"""What an adapter was made from, kept in its training.json: a finished stage is not run again unless this changes.

The inputs are in the record itself, not beside the checkpoints, so that an adapter from the repository counts as
finished on a machine that never trained.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from medilite.checkpoints import WEIGHTS_FILE, read_record
from medilite.errors import DataError
from medilite.models import HubBase, PackageBase, Profile
from medilite.packages import MANIFEST as WEIGHTS_MANIFEST
from medilite.packages import sha256_of
from medilite.settings import Settings
from medilite.weights import CONVERSION, ensure_base
from training.config import AnyRun, DPORun

RECIPE = 1
"""Raise it when the code makes another adapter from the same inputs: every adapter is then trained again."""

# Paths, and what is measured or kept, which don't change what is learnt. Data and base have entries of their own.
_NOT_LEARNT_FROM: tuple[tuple[str, str], ...] = (
    ("base", "profile"),
    ("data", "dir"),
    ("data", "test_pairs"),
    ("optim", "keep_saves"),
)

Inputs = dict[str, Any]


def training_inputs(run: AnyRun, base: str, data: str, parents: Sequence[Path]) -> Inputs:
    """Return what an adapter is made from: recipe, base, data, parent adapters (lowest first) and configuration.

    `base` is `base_identity`'s, `data` the fingerprint of the splits. DPO's pairs
    are one more. Raises DataError where they are missing.
    """
    inputs = {
        "recipe": RECIPE,
        "base": base,
        "data": data,
        # "beneath" is the file's key for the parents: committed records have it.
        "beneath": [sha256_of(folder / WEIGHTS_FILE) for folder in parents],
        "config": digest(settings_learnt_from(run)),
    }
    if isinstance(run, DPORun):
        if not run.preferences.is_file():
            raise DataError(
                f"There are no preference pairs in {run.preferences}. Make them with `python -m training.preferences`, "
                "or name their file as `preferences` in the configuration."
            )
        inputs["preferences"] = sha256_of(run.preferences)
    return inputs


def settings_learnt_from(run: AnyRun) -> dict[str, Any]:
    """Return the settings that shape an adapter, as `section.key`.

    Those at their defaults are left out, so that a key added by a new version of MediLite makes no adapter look
    outdated.
    """
    raw = run.model_dump(mode="json", exclude_defaults=True, exclude={"tracking", "preferences"})
    for section, key in _NOT_LEARNT_FROM:
        raw.get(section, {}).pop(key, None)
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        flat |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def digest(value: object) -> str:
    """Return the first 16 digits of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def base_identity(profile: Profile, settings: Settings) -> str:
    """Return a line that identifies a base's weights on every machine.

    The pinned package and a copy of its converted folder are the same base.
    Raises WeightsError where MEDILITE_WEIGHTS or the profile names no model folder.
    """
    base = profile.base
    if not settings.weights and isinstance(base, PackageBase):
        return _package_identity(base.file_sha256, CONVERSION)
    if not settings.weights and isinstance(base, HubBase):
        return f"hub {base.repo} at {base.revision or 'main'}"
    folder = ensure_base(profile, settings)
    try:
        made = json.loads((folder / WEIGHTS_MANIFEST).read_text(encoding="utf-8"))
        return _package_identity(made["source_sha256"], made["conversion"])
    except (OSError, ValueError, KeyError, TypeError):
        files = sorted([*folder.glob("*.safetensors"), folder / "config.json", folder / "tokenizer.json"])
        return f"folder sha256 {digest([_sha256_once(file, file.stat().st_mtime_ns) for file in files])}"


@lru_cache(maxsize=64)
def _sha256_once(file: Path, changed_ns: int) -> str:
    """Return a file's SHA-256, read once a process while it doesn't change: a base may have gigabytes."""
    return sha256_of(file)


def _package_identity(sha256: str, conversion: int) -> str:
    return f"gguf sha256 {sha256}, conversion {conversion}"


def why_unfinished(folder: Path, inputs: Inputs, run: AnyRun) -> str | None:
    """Return why an adapter's folder is not the result of these inputs, in words; None if it is.

    The adapter's weights have to be those that its record was written for.
    """
    record = read_record(folder)
    if record is None or not (folder / WEIGHTS_FILE).is_file():
        return "not trained yet"
    then = record.get("inputs")
    if not isinstance(then, dict):
        return "its training.json doesn't say what it was made from"
    if record.get("adapter_sha256") != sha256_of(folder / WEIGHTS_FILE):
        return "its weights are not those that its training.json describes"
    changed = [words for key, words in _IN_WORDS.items() if then.get(key) != inputs.get(key)]
    if then.get("config") != inputs["config"]:
        changed += _changed_settings(record, run)
    return f"changed since: {', '.join(changed)}" if changed else None


_IN_WORDS = {
    "recipe": "the recipe's version",
    "base": "the base",
    "data": "the data",
    "beneath": "the parent adapter",
    "preferences": "the preference pairs",
}


def _changed_settings(record: dict[str, Any], run: AnyRun) -> list[str]:
    """Name the settings that differ, as far as the record's configuration can still be read."""
    try:
        then = settings_learnt_from(type(run).model_validate(record["config"]))
    except (KeyError, ValueError):
        return ["the configuration"]
    now = settings_learnt_from(run)
    keys = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    return [f"{key} ({_shown(then, key)} to {_shown(now, key)})" for key in keys] or ["the configuration"]


def _shown(flat: dict[str, Any], key: str) -> str:
    return json.dumps(flat[key]) if key in flat else "default"
