"""Where the small collection is, and short ways to write tables and pairs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from medilite.records import Example
from training.data.collection import Collection
from training.data.readers_csv import read_csv

SMALL = Path(__file__).parent.parent / "fixtures" / "pairs_small"
SMALL_XML = SMALL / "xml"
SMALL_CSV = SMALL / "pairs.csv"
MALFORMED = SMALL / "malformed"


def read_text(text: str | bytes, **columns: str) -> Collection:
    """Read a CSV given as text; its name is table.csv."""
    content = text.encode() if isinstance(text, str) else text
    return read_csv(io.BufferedReader(io.BytesIO(content)), "table.csv", **columns)  # type: ignore[arg-type]


def reasons(collection: Collection) -> dict[str, str]:
    """Return what is wrong, by where."""
    return {problem.where: problem.reason for problem in collection.problems}


def make_examples(focus_areas: Sequence[str], questions: Sequence[str] | None = None) -> list[Example]:
    """Return one example a focus area, its question its own unless given."""
    asked = questions or [f"Question {i} ?" for i in range(len(focus_areas))]
    return [
        Example(f"q{i}", question, f"Answer {i}.", "Clinic", focus, "information")
        for i, (focus, question) in enumerate(zip(focus_areas, asked, strict=True))
    ]
