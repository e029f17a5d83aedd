"""A run's folder: the paths of the stages' files, and the record of its generation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medilite.errors import DataError
from medilite.files import write_whole

RUNS = Path("runs")
DATA = Path("data/medquad")

CODE = ("medilite", "eval")
"""The paths whose changes can change a result."""

PACKAGES = ("torch", "transformers", "numpy", "sacrebleu", "rapidfuzz", "textstat", "nltk")


@dataclass(frozen=True, slots=True)
class Run:
    """Paths under `runs/NAME`."""

    folder: Path

    @property
    def answers(self) -> Path:
        """Written by generate; see eval.answers."""
        return self.folder / "answers.jsonl"

    @property
    def scores(self) -> Path:
        """Written by score; see eval.scores."""
        return self.folder / "scores.jsonl"

    @property
    def floors(self) -> Path:
        """Written by score: the floors' scores, see eval.floors."""
        return self.folder / "floors.jsonl"

    @property
    def comparisons(self) -> Path:
        """Written by compare: the tables of eval.compare as JSON."""
        return self.folder / "comparisons.json"

    @property
    def record(self) -> Path:
        """The sessions of generation: one entry each time that generate ran."""
        return self.folder / "run.json"

    def sessions(self) -> list[dict[str, Any]]:
        """Return the entries of `record`, oldest first; [] if there are none. Raises DataError if it is broken."""
        try:
            sessions = json.loads(self.record.read_text(encoding="utf-8"))["sessions"]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{self.record} can't be read ({error}). Remove it: only how the run went is lost."
            ) from error
        return list(sessions)

    def write_sessions(self, sessions: list[dict[str, Any]]) -> None:
        """Replace the entries of `record`."""
        write_whole(self.record, (json.dumps({"sessions": sessions}, indent=2) + "\n").encode())
