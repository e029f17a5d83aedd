"""p-values that can be small: Student's tail of a paired difference, and Holm's correction for their number.

Counting resamples beyond 0 can't tell less than 2 in 10,001, and after the
correction for some hundred comparisons nothing could ever be told apart from
chance. So the tail comes from the t of the paired differences (their mean by
its standard error, n − 1 degrees of freedom), which has no floor. It is right
for differences as they usually come, about symmetric around their mean. Skewed
ones make it too small on one side; Hall's transformation (1992, "On the removal
of skewness by transformation") takes the skewness out of t, but makes it too
small where tails are heavy. So both are computed and the larger p counts.

And no p is below 2^(1 − k), k being how many differences are not 0: a test that
flips their signs, which assumes nothing of their distribution, could not say less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LEAST = 1e-99
"""What is less is given as this: no sample can tell such numbers apart, and none of them is 0."""


def mean_p_values(columns: Array) -> Array:
    """Return two-sided p-values that the mean of each column (differences × columns; NaN is missing) is 0.

    NaN where a column has fewer than two values. Without any spread there is no
    t: the p-value is that of flipped signs.
    """
    there = ~np.isnan(columns)
    n = there.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, columns, 0.0).sum(0) / n
        around = np.where(there, columns - mean, 0.0)
        spread = np.sqrt((around**2).sum(0) / n)
        # Values that are all one can leave a rounding error of spread.
        spread = np.where(spread <= 1e-12 * np.abs(mean), 0.0, spread)
        skewness = (around**3).sum(0) / n / spread**3
        by_spread = mean / spread
        t = np.sqrt(n - 1) * by_spread
        even = by_spread + skewness * by_spread**2 / 3 + skewness**2 * by_spread**3 / 27 + skewness / (6 * n)
        p = tail(np.minimum(np.abs(t), np.sqrt(n - 1) * np.abs(even)), n)
    p = np.where((spread == 0) & (n > 1), np.where(mean == 0, 1.0, 0.0), p)
    return _not_below_flips(p, (there & (columns != 0)).sum(0))


def error_p_value(value: float, error: float, n: int, unlike: int) -> float:
    """Return the two-sided p-value that a statistic over n questions is 0, from its standard error.

    `unlike` is on how many questions the two differ at all.
    """
    p = tail(np.array([abs(value) / error]), np.array([n])) if error else np.array([1.0 if value == 0 else 0.0])
    return float(_not_below_flips(p, np.array([unlike]))[0])


def tail(t: Array, n: npt.NDArray[np.int64]) -> Array:
    """Return both tails of Student's t beyond ±t, with n − 1 degrees of freedom."""
    from scipy.special import stdtr

    both: Array = 2 * stdtr(n - 1, -np.abs(t))
    return both


def _not_below_flips(p: Array, unlike: npt.NDArray[np.int64]) -> Array:
    flips = np.exp2(1.0 - np.maximum(unlike, 1))
    return np.where(np.isnan(p), np.nan, np.maximum(np.maximum(p, flips), LEAST))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number (Holm 1979), in order; None stays None and counts for nothing."""
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        corrected[i] = largest
    return corrected
