"""The base's tiles, kept in files so that later starts don't make them from scratch.

Making them reads all of the base's weights and takes seconds to a minute; reading them takes a fraction of a second for
each gigabyte. They are read, not mapped: pages of files are of 4 KB, and a step through them takes 1.3 to 1.5 times as
long (`arrays.new_array`). The files belong to one state of the base and one layout, and every array is checked against
its SHA-256 as it is read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from medilite.engine.local.int8 import read_weights
from medilite.engine.local.memory import give_back
from medilite.engine.native.arrays import Weights, new_array
from medilite.engine.shape import LlamaShape
from medilite.machine import usable_cpus

log = logging.getLogger(__name__)

LAYOUT = 3
"""Version of the arrays: raise it when `int8.read_weights` gives different ones for the same base."""

_MANIFEST = "manifest.json"

_ABANDONED_S = 3600.0
"""Age from which a folder that is being written is taken for one that a killed process left: writing takes far less."""

_PIECE = 1 << 22
"""Bytes read at a time, then digested while they are in the processor's cache."""


def kept_weights(
    folder: Path, shape: LlamaShape, keep_in: Path, bits: int = 8, report: Callable[[float], None] | None = None
) -> Weights:
    """Return the tiles of the base in `folder`, read from `keep_in`; made and written there first if need be.

    Where nothing can be written the weights are made for this process alone. `bits`, `report` and errors are those of
    `read_weights`.
    """
    # Two bases may have folders of one name: without the path, each would remove the other's files.
    path = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()
    base = f"{folder.name}-{bits}bit-{path[:8]}"
    place = keep_in / f"{base}-{_state(folder)[:16]}"
    _remove_abandoned(keep_in, base)
    if found := _read(place):
        return found
    made = read_weights(folder, shape, bits, report)
    try:
        _keep(made, place, base)
    except OSError as error:
        log.warning("The weights' tiles can't be kept in %s (%s): every start makes them.", keep_in, error.strerror)
    give_back()
    return made


def _state(folder: Path) -> str:
    """Return a digest of the layout and the base's files: a changed file has another size or time."""
    files = [folder / "config.json", *sorted(folder.glob("*.safetensors"))]
    facts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(json.dumps([LAYOUT, str(folder.resolve()), facts]).encode()).hexdigest()


def _keep(weights: Weights, place: Path, base: str) -> None:
    """Write the arrays so that `place` never holds only some of them; files of older states are removed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        manifest: dict[str, dict[str, str]] = {}
        for name, array in _once(weights).items():
            np.save(making / f"{name}.npy", array)
            manifest[name] = {"sha256": _digest(array)}
        (making / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        for old in place.parent.glob(f"{base}-*"):
            # Open files stay readable, also those of a second process that was faster.
            shutil.rmtree(old, ignore_errors=True)
        making.replace(place)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _remove_abandoned(keep_in: Path, base: str) -> None:
    """Remove what processes that were killed have left of `_keep`; another one may be at work, so only what is old."""
    for making in keep_in.glob(f".{base}-*"):
        with suppress(OSError):  # another process has removed it
            if time.time() - making.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(making, ignore_errors=True)


def _once(weights: Weights) -> Mapping[str, np.ndarray]:
    """Return the arrays by name, without the head if it is the embedding."""
    arrays = weights._asdict()
    if weights.head is weights.embedding:
        del arrays["head"]
    return arrays


def _read(place: Path) -> Weights | None:
    """Return the arrays in `place`; None if they are missing or not what was written."""
    try:
        manifest = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))
        with ThreadPoolExecutor(usable_cpus()) as pool:
            found = dict(
                zip(manifest, pool.map(_read_array, [place / f"{name}.npy" for name in manifest]), strict=True)
            )
        damaged = [name for name, (_, digest) in found.items() if digest != manifest[name]["sha256"]]
        if damaged:
            log.warning("%s: %s is not as it was written; the tiles are made again.", place, ", ".join(damaged))
            return None
        arrays = {name: array for name, (array, _) in found.items()}
        arrays.setdefault("head", arrays["embedding"])
        return Weights(**arrays)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s can't be read (%s); the tiles are made again.", place, type(error).__name__)
        return None


def _read_array(file: Path) -> tuple[np.ndarray, str]:
    """Return a file's array, in huge pages, and its digest; each byte is read once."""
    with file.open("rb") as opened:
        if np.lib.format.read_magic(opened) != (1, 0):
            raise ValueError(f"{file.name} is of another version")
        shape, in_fortran_order, kind = np.lib.format.read_array_header_1_0(opened)
        if in_fortran_order:
            raise ValueError(f"{file.name} is in another order")
        array, digest = new_array(shape, kind), _digest_of(kind, shape)
        content = array.reshape(-1).view(np.uint8).data
        for start in range(0, len(content), _PIECE):
            piece = content[start : start + _PIECE]
            if opened.readinto(piece) != len(piece):
                raise ValueError(f"{file.name} ends early")
            digest.update(piece)
    return array, digest.hexdigest()


def _digest(array: np.ndarray) -> str:
    digest = _digest_of(array.dtype, array.shape)
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _digest_of(kind: np.dtype, shape: tuple[int, ...]) -> Any:
    return hashlib.sha256(f"{kind.str}{shape}".encode() + b"\0")
