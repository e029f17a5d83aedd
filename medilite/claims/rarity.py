"""How rare a word is in medical references: the weight of a content term.

`rarity.json.gz` holds, for each stem, in how many of the training references
it occurs, and which stems occur in names of diseases. It has no text of
MedQuAD. `python -m eval.rarity` makes it.
"""

from __future__ import annotations

import gzip
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

from medilite.errors import DataError

FILE = Path(__file__).with_name("rarity.json.gz")


@cache
def table() -> dict[str, Any]:
    """Return the file's content: documents, counts (by stem), diseases (stems), fingerprint of the data."""
    try:
        content: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{FILE} can't be read ({error}). Restore it from the repository.") from error
    return {**content, "diseases": frozenset(content["diseases"])}


@cache
def weight(stem: str) -> float:
    """Return ln((N + 1) / (n + 1)), N references of which n have the stem: 0 for a word that all have.

    Smoothed inverse document frequency (Manning, Raghavan & Schütze 2008, 6.2.1);
    a stem that no reference has is the rarest.
    """
    known = table()
    return math.log((known["documents"] + 1) / (known["counts"].get(stem, 0) + 1))


def names_disease(stem: str) -> bool:
    """Return whether the stem occurs in a name of a disease."""
    return stem in table()["diseases"]
