"""training.json: the record of a run, beside its adapter."""

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
class RunProgress:
    """A run's progress: share of its training done, seconds so far, expected seconds left."""

    share: float
    spent_s: float
    left_s: float


def note_progress(work_dir: Path, progress: RunProgress) -> None:
    """Write a run's progress, for the process that runs several."""
    write_whole(work_dir / PROGRESS_FILE, json.dumps(asdict(progress)).encode())


def read_progress(work_dir: Path) -> RunProgress | None:
    """Return the last progress of the run in that folder; None if there is none."""
    try:
        return RunProgress(**json.loads((work_dir / PROGRESS_FILE).read_text(encoding="utf-8")))
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
