"""A small paired board: one model against another on the same questions, and how many questions it would take.

The number of questions is chosen beforehand and the result read once: reading it after every few sooner or later takes
luck for a difference.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LEVEL, POWER = 0.95, 0.9
"""Level of the interval; and power, for a difference of the observed size, of the predicted number."""

SIZES = (32, 64, 96, 128)

Verdict = Literal["same", "clear", "unclear", "none"]


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean of paired differences with its 95 % interval (Student's t), and of how many questions.

    `same` counts pairs of answers that are the same, word for word; `needed` is the number of questions with which a
    difference of this size is found nine times in ten, None if there is none.
    """

    asked: int
    n: int
    same: int
    mean: float | None
    low: float | None
    high: float | None
    needed: int | None
    verdict: Verdict

    @classmethod
    def of(cls, differences: Sequence[float | None], same: int = 0) -> Paired:
        """Return the board of some differences, None if one of the two answers has no score."""
        known = [value for value in differences if value is not None]
        asked = len(differences)
        if asked and same == asked:
            return cls(asked, len(known), same, 0.0, 0.0, 0.0, None, "same")
        if len(known) < 2:
            return cls(asked, len(known), same, None, None, None, None, "none")
        mean, spread = statistics.fmean(known), statistics.stdev(known)
        reach = _t(LEVEL, len(known) - 1) * spread / math.sqrt(len(known))
        low, high = mean - reach, mean + reach
        clear = low > 0 or high < 0
        return cls(asked, len(known), same, mean, low, high, needed(mean, spread), "clear" if clear else "unclear")


def needed(difference: float, spread: float) -> int | None:
    """Return how many questions find a mean difference nine times in ten, given the standard deviation of pairs.

    The usual n = ((z(0.975) + z(0.9)) · spread / difference)²; None if there is no difference to be found.
    """
    if not difference:
        return None
    normal = statistics.NormalDist()
    z = normal.inv_cdf((1 + LEVEL) / 2) + normal.inv_cdf(POWER)
    return max(math.ceil((z * spread / difference) ** 2), 2)


def _t(level: float, degrees: int) -> float:
    from scipy import stats

    return float(stats.t.ppf((1 + level) / 2, degrees))
