"""training.json: what a run was, beside the adapter that it gave."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from medilite.models import ROOT

PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets")


def versions() -> dict[str, str | None]:
    """Return the versions that can change a result; None for what is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def commit() -> tuple[str | None, bool | None]:
    """Return (commit of the checkout, whether code that makes results differs from it); (None, None) outside git."""
    code = ["medilite", "training"]
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        diff = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *code], cwd=ROOT, check=False)
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return head.stdout.strip(), diff.returncode != 0


def device_name() -> str:
    """Return the accelerator's name, or the kind of processor and the number of threads in use."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return f"cpu ({platform.machine()}, {torch.get_num_threads()} threads)"


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
