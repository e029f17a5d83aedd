"""Which contestant each model of a profile is now, by a hash of the files it is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from medilite import hub
from medilite.arena.records import Contestant
from medilite.checkpoints import ADAPTER_FILES
from medilite.models import ModelSpec, Profile


def contestants(profile: Profile) -> dict[str, Contestant]:
    """Return the contestant of every model whose adapters are here, by model id in the profile's order.

    The hash covers the base's name and the files of every adapter from the
    lowest up, so retraining any of them makes a new contestant.
    """
    base = profile.base.model_dump_json()
    found = {}
    for spec in profile.models:
        parts = [base]
        for link in profile.chain(spec.id):
            folder = _folder(profile, link)
            hashes = [_file_hash(folder / name) for name in ADAPTER_FILES] if folder else [None]
            if None in hashes:
                break
            parts += [f"{name} {value}" for name, value in zip(ADAPTER_FILES, hashes, strict=True)]
        else:
            found[spec.id] = Contestant(spec.id, hashlib.sha256("\n".join(parts).encode()).hexdigest())
    return found


def base_contestant(profile: Profile, here: Mapping[str, Contestant]) -> Contestant | None:
    """Return the base among `contestants`, None if the profile doesn't show it."""
    return here.get(profile.base_model.id) if profile.base_model else None


def _folder(profile: Profile, spec: ModelSpec) -> Path | None:
    """Return the folder of a model's own adapter, if it is here (or in the Hub's cache)."""
    where = profile.adapter_path(spec)
    if isinstance(where, Path):
        return where
    cached = hub.find(*hub.place_of(where), ADAPTER_FILES[1])
    return cached.parent if cached else None


def _file_hash(path: Path) -> str | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _hash_once(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _hash_once(path: Path, mtime_ns: int, size: int) -> str | None:
    """Hash a file; one that has not changed since is not read again."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
