"""Round ticks for a range of numbers, and where a number stands on the axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, with `ticks` at round numbers, `digits` of them after the point."""

    low: float
    high: float
    ticks: tuple[float, ...]
    digits: int

    def percent(self, value: float) -> float:
        """Return where a value stands, 0 at the low end and 100 at the high one; what lies beyond is at the end."""
        return 100 * (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)


def fitting(values: Iterable[float], ticks: int = 5, room: float = 0.08) -> Axis:
    """Return an axis that holds all values with some room beside them, about so many ticks on it.

    Values that are all one get a range of 1 around them.
    """
    known = list(values)
    low, high = min(known), max(known)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    room *= high - low
    low, high = low - room, high + room
    raw = (high - low) / ticks
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in _STEPS if factor * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    marks = tuple(step * i for i in range(first, math.floor(high / step + 1e-9) + 1))
    digits = next(n for n in range(9) if abs(round(step, n) - step) < step * 1e-6)
    return Axis(low, high, marks, digits)
