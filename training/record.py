"""training.json: what a run was, beside the adapter that it gave."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from medilite import provenance
from medilite.provenance import device_name

__all__ = ["Stopwatch", "commit", "device_name", "versions", "write_record"]

PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets")


CODE = ("medilite", "training")
"""The paths whose changes can change a result."""


def versions() -> dict[str, str | None]:
    """Return the versions that can change a result; None for what is not installed."""
    return provenance.versions(PACKAGES)


def commit() -> tuple[str | None, bool | None]:
    """Return (commit of the checkout, whether code that makes results differs from it); (None, None) outside git."""
    return provenance.commit(CODE)


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write training.json into an adapter's folder, whole or not at all."""
    temporary = folder / "training.json.tmp"
    temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(folder / "training.json")


class Stopwatch:
    """Seconds that a run has taken over all its starts, kept in its folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "elapsed_s.json"
        self._before = json.loads(self._file.read_text()) if self._file.is_file() else 0.0
        self._started = time.monotonic()

    def elapsed_s(self) -> float:
        """Return the seconds up to now, earlier starts included."""
        return self._before + time.monotonic() - self._started

    def save(self) -> None:
        """Keep the time so far for a later start."""
        self._file.write_text(json.dumps(self.elapsed_s()))
