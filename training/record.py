"""training.json: what a run was, beside the adapter that it gave."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medilite import provenance
from medilite.checkpoints import RECORD_FILE
from medilite.files import write_whole
from medilite.provenance import device_name as device_name

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
    write_whole(folder / RECORD_FILE, (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())


PROGRESS_FILE = "progress.json"


@dataclass(frozen=True, slots=True)
class Told:
    """How far a run says it is: share of its training done, seconds it took so far, seconds it expects to need."""

    share: float
    spent_s: float
    left_s: float


def note_progress(work_dir: Path, told: Told) -> None:
    """Leave word of how far a run is, for whoever runs several."""
    write_whole(work_dir / PROGRESS_FILE, json.dumps(asdict(told)).encode())


def read_progress(work_dir: Path) -> Told | None:
    """Return what the run in that folder told last; None if it hasn't told anything here."""
    try:
        return Told(**json.loads((work_dir / PROGRESS_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


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
        write_whole(self._file, json.dumps(self.elapsed_s()).encode())
