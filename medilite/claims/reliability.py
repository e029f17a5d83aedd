"""How reliable each kind of claim is, as measured by `python -m eval.claims` on real references."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medilite.claims.records import KINDS, Kind
from medilite.errors import DataError

FILE = Path(__file__).with_name("reliability.json")

LOWEST_SENSITIVITY = 0.8
HIGHEST_FALSE_ALARMS = 0.05
FEWEST = 20
"""A kind is reliable if at least this share of planted errors is found, at most this share of untouched
references has an alarm, and so many errors could be planted."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share (0..1) of `n` with its 95 % interval; None if there was nothing to count."""

    n: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Reliability:
    """Planted errors found, and untouched references with a false alarm, of one kind of claim."""

    kind: Kind
    sensitivity: Rate
    false_alarms: Rate
    sensitivity_elsewhere: Rate
    false_alarms_elsewhere: Rate
    reliable: bool


@cache
def reliability() -> Mapping[Kind, Reliability]:
    """Return the measured reliability by kind. Raises DataError if the file is missing or broken.

    "Elsewhere": against other documents that answer the same question, in other words.
    """
    try:
        kinds = json.loads(FILE.read_text(encoding="utf-8"))["kinds"]
        found = {
            kind: Reliability(
                kind,
                _rate(kinds[kind]["sensitivity"]),
                _rate(kinds[kind]["false_alarms"]),
                _rate(kinds[kind]["sensitivity_elsewhere"]),
                _rate(kinds[kind]["false_alarms_elsewhere"]),
                reliable=kinds[kind]["reliable"],
            )
            for kind in KINDS
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{FILE} can't be read ({error}). Make it: python -m eval.claims") from error
    return MappingProxyType(found)


def _rate(row: Mapping[str, Any]) -> Rate:
    return Rate(row["n"], row["share"], row["low"], row["high"])
