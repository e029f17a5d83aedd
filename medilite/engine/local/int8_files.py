"""The base in int8 as it was made once, in files that are mapped into memory instead of being made anew.

Making a base int8 reads all of its float32 weights and takes seconds of
processor time; mapping what was made takes none, and several processes share
the memory. What is kept belongs to one state of the base's files and one layout,
and every array is checked against its SHA-256 before it is used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from medilite.engine.local.int8 import read_weights
from medilite.engine.local.memory import give_back
from medilite.engine.native.arrays import Weights
from medilite.engine.shape import LlamaShape

log = logging.getLogger(__name__)

LAYOUT = 2
"""Version of the arrays: raise it when `int8.read_weights` gives others for the same base."""

_MANIFEST = "manifest.json"


def kept_weights(folder: Path, shape: LlamaShape, keep_in: Path) -> Weights:
    """Return the weights of the base in `folder`, mapped from under `keep_in`; made and kept there if they aren't yet.

    Where nothing can be written the weights are made for this process alone.
    Raises WeightsError as `read_weights` does.
    """
    place = keep_in / f"{folder.name}-{_state(folder)[:16]}"
    if found := _mapped(place):
        return found
    made = read_weights(folder, shape)
    try:
        _keep(made, place, folder.name)
    except OSError as error:
        log.warning("The int8 weights can't be kept in %s (%s): every start makes them again.", keep_in, error.strerror)
        return made
    if mapped := _mapped(place):
        # What stood between on the way would stay with this process for as long as it runs: a hundred megabytes.
        del made
        give_back()
        return mapped
    return made


def _state(folder: Path) -> str:
    """Return a digest of the layout and of which files the base is: a file that changes has another size or time."""
    files = [folder / "config.json", *sorted(folder.glob("*.safetensors"))]
    facts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(json.dumps([LAYOUT, str(folder.resolve()), facts]).encode()).hexdigest()


def _keep(weights: Weights, place: Path, base: str) -> None:
    """Write the arrays so that `place` never stands for a part of them; what older states left goes."""
    place.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        manifest: dict[str, dict[str, str]] = {}
        for name, array in _once(weights).items():
            np.save(making / f"{name}.npy", array)
            manifest[name] = {"sha256": _digest(array)}
        (making / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        for old in place.parent.glob(f"{base}-*"):
            # Who has them mapped keeps them; a second process that was faster loses nothing either.
            shutil.rmtree(old, ignore_errors=True)
        making.replace(place)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _once(weights: Weights) -> Mapping[str, np.ndarray]:
    """Return the arrays by name, without a head that is the embedding."""
    arrays = weights._asdict()
    if weights.head is weights.embedding:
        del arrays["head"]
    return arrays


def _mapped(place: Path) -> Weights | None:
    """Return the arrays that stand in `place`; None where they don't, or aren't what was written."""
    try:
        manifest = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))
        # Copy on write: the compiled code is typed for arrays that can be written, though it never writes these.
        arrays = {name: np.load(place / f"{name}.npy", mmap_mode="c").view(np.ndarray) for name in manifest}
        damaged = [name for name, array in arrays.items() if _digest(array) != manifest[name]["sha256"]]
        if damaged:
            log.warning("%s: %s is not as it was written; the int8 weights are made again.", place, ", ".join(damaged))
            return None
        arrays.setdefault("head", arrays["embedding"])
        return Weights(**arrays)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s can't be read (%s); the int8 weights are made again.", place, type(error).__name__)
        return None


def _digest(array: np.ndarray) -> str:
    about = f"{array.dtype.str}{array.shape}".encode()
    digest = hashlib.sha256(about + b"\0")
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
