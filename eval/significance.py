"""p-values, one method: flipping the signs of whole clusters, and Holm's correction for the number of comparisons.

If two models differ by nothing, a paired difference is as likely positive as
negative, and the questions of a cluster (one source and one kind) go together.
So the p-value is the share of random signs, one a cluster, under which the sum
of differences is at least as far from 0 as it is, the observed signs counted in
(Phipson & Smyth 2010: never 0, and no less than 1 in FLIPS + 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FLIPS = 100_000
"""Enough for the least p to stay clear after Holm's correction: the largest family, of slices, has 800 comparisons."""

_SAME = 1e-9
_CHUNK = 2_000


def flipped_p_values(sums: Array, flips: int = FLIPS, seed: int = 42) -> Array:
    """Return two-sided p-values that the sum of each column (clusters × columns of summed differences) is 0."""
    return statistic_p_values(sums, lambda signed: signed, flips, seed)


def statistic_p_values(sums: Array, statistic: Callable[[Array], Array], flips: int = FLIPS, seed: int = 42) -> Array:
    """Return two-sided p-values of a statistic that is odd in its argument: flipped sums give its negative."""
    observed = np.abs(statistic(sums.sum(0, keepdims=True)))[0]
    beyond = np.zeros(len(observed))
    random = np.random.default_rng(seed)
    for start in range(0, flips, _CHUNK):
        signs = random.integers(0, 2, (min(_CHUNK, flips - start), len(sums))) * 2.0 - 1
        beyond += (np.abs(statistic(signs @ sums)) >= observed * (1 - _SAME) - _SAME).sum(0)
    p: Array = (beyond + 1) / (flips + 1)
    return p


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number (Holm 1979), in order; None stays None and isn't counted."""
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        corrected[i] = largest
    return corrected
