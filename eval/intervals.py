"""Uncertainty over questions: bootstrap intervals and the probability of being better.

Questions are resampled, all columns (models, metrics) with the same draws, so
differences stay paired. Two statistics:

- a mean: the studentised bootstrap ("bootstrap-t"; Efron & Tibshirani 1993,
  12.5). The percentile interval is too short for few or skewed differences
  (about 93 % at 50 questions); dividing each resampled mean by its own standard
  error makes it second-order right.
- a BLEU, a function of sums: BCa (same, 14.3), whose acceleration comes from
  leaving one question out at a time; it needs no standard error of the score.

Everything is matrix products of (resamples × questions) counts, a chunk of
resamples at a time. The counts depend on the number of questions and the seed
alone, so they are drawn once for all that is computed of one set of questions.
p-values are not counted from resamples: eval.significance says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.significance import mean_p_values

Array = npt.NDArray[np.float64]

RESAMPLES = 10_000
SEED = 42
LEVEL = 0.95

_CHUNK = 500
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Means:
    """Of each column: its mean, the interval, how many values it has, and what the resamples say of its sign.

    `above` is the share of resampled means over 0 (ties half); `p_value` is
    two-sided against a mean of 0 (significance.mean_p_values). NaN where a
    column has fewer than two values.
    """

    mean: Array
    low: Array
    high: Array
    n: npt.NDArray[np.int64]
    above: Array
    p_value: Array


def mean_intervals(columns: npt.ArrayLike, resamples: int = RESAMPLES, seed: int = SEED, level: float = LEVEL) -> Means:
    """Return the means of `columns` (questions × columns; NaN is missing) with their bootstrap-t intervals.

    A column that is nearly all one value, so that over 2.5 % of its resamples
    have no spread and no t, gets the percentile interval instead; one without any
    spread thus an interval of no width.
    """
    values = np.asarray(columns, float)
    there = ~np.isnan(values)
    n = there.sum(0)
    mean, low, high, above, p_value = np.full((5, len(n)), np.nan)
    found = Means(mean, low, high, n, above, p_value)
    found.mean[n > 0] = np.where(there, values, 0.0).sum(0)[n > 0] / n[n > 0]
    if enough := np.flatnonzero(n > 1).tolist():
        _fill(found, enough, values[:, enough], resamples, seed, level)
    return found


def _fill(found: Means, where: list[int], values: Array, resamples: int, seed: int, level: float) -> None:
    """Put intervals and p-values of columns with two values or more in their places."""
    centre, n = found.mean[where], found.n[where]
    there = ~np.isnan(values)
    # Around the mean, so that sums of squares lose no digits.
    around = np.where(there, values - centre, 0.0)
    squares = around**2
    error = _standard_error(centre, squares.sum(0), n)
    # Only columns with gaps need their size counted in each resample.
    gaps = np.flatnonzero(n < len(values))
    summed = np.concatenate([around, squares, there[:, gaps]], axis=1)
    ends = np.cumsum([len(where), len(where)])

    t, drawn = np.empty((resamples, len(where))), np.empty((resamples, len(where)))
    for rows, resampled in _resampled(summed, resamples, seed):
        sums, square_sums, sizes = np.split(resampled, ends, axis=1)
        size = np.tile(n.astype(float), (len(sums), 1))
        size[:, gaps] = sizes
        moved, spread = _moments(sums, square_sums, size)
        drawn[rows] = moved + centre
        with np.errstate(invalid="ignore", divide="ignore"):
            # A resample without spread (one value drawn again and again) stands for its side's extreme, or 0.
            t[rows] = np.nan_to_num(moved / spread, nan=0.0, posinf=np.inf, neginf=-np.inf)
    # What should be 0 may be a rounding error, whose sign depends on the order of the sum.
    drawn[np.abs(drawn) < _TIE] = 0.0
    found.above[where] = ((drawn > 0).sum(0) + (drawn == 0).sum(0) / 2) / resamples

    tail = (1 - level) / 2
    upper, lower = np.quantile(t, [1 - tail, tail], axis=0, method="inverted_cdf")
    with np.errstate(invalid="ignore"):
        low, high = centre - upper * error, centre - lower * error
    # Too many resamples without spread leave no t to go by.
    percentile = ~(np.isfinite(upper) & np.isfinite(lower)) | (error == 0)
    if percentile.any():
        edges = np.quantile(np.nan_to_num(drawn), [tail, 1 - tail], axis=0, method="inverted_cdf")
        low, high = np.where(percentile, edges[0], low), np.where(percentile, edges[1], high)
    found.low[where], found.high[where] = low, high
    found.p_value[where] = mean_p_values(values)


def function_interval(
    sums_of: Array,
    function: Callable[[Array], Array],
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
) -> tuple[Array, Array, Array, Array, Array]:
    """Return (value, low, high, share of resamples above 0, standard error) of a function of sums, by BCa.

    `sums_of` (questions × counts) holds what is summed; `function` takes sums
    (any number of rows × counts) and returns a row of values for each.
    """
    total = sums_of.sum(0, keepdims=True)
    value = function(total)[0]
    drawn = np.concatenate([function(sums) for _, sums in _resampled(sums_of, resamples, seed)])
    left_out = function(total - sums_of)

    around = left_out.mean(0) - left_out
    with np.errstate(invalid="ignore", divide="ignore"):
        acceleration = np.nan_to_num((around**3).sum(0) / (6 * (around**2).sum(0) ** 1.5))
    below = ((drawn < value).sum(0) + (drawn == value).sum(0) / 2 + 0.5) / (resamples + 1)
    bias = _normal_quantile(below)
    ordered = np.sort(drawn, axis=0)

    def end(tail: float) -> Array:
        z = bias + _normal_quantile(np.array([tail]))
        share = _normal_share(bias + z / (1 - acceleration * z))
        index = np.clip(np.ceil(share * resamples).astype(int) - 1, 0, resamples - 1)
        return np.take_along_axis(ordered, index[None, :], axis=0)[0]

    tail = (1 - level) / 2
    above = ((drawn > 0).sum(0) + (drawn == 0).sum(0) / 2) / resamples
    return value, end(tail), end(1 - tail), above, drawn.std(0, ddof=1)


def shared_ranks(lows: Sequence[float | None], highs: Sequence[float | None], better: str) -> list[int | None]:
    """Return ranks from intervals: 1 + how many others lie wholly on the better side; None for who has no interval."""
    spans = [
        None if low is None or high is None else (low, high) if better == "higher" else (-high, -low)
        for low, high in zip(lows, highs, strict=True)
    ]
    return [
        None if own is None else 1 + sum(other is not None and other[0] > own[1] for other in spans) for own in spans
    ]


def _resampled(columns: Array, resamples: int, seed: int) -> Iterator[tuple[slice, Array]]:
    """Yield (rows, sums of `columns` in these resamples), a chunk of resamples at a time."""
    drawn = _drawn(len(columns), resamples, seed)
    with _one_thread():
        for start in range(0, resamples, _CHUNK):
            yield slice(start, start + _CHUNK), drawn[start : start + _CHUNK].astype(float) @ columns


def _one_thread() -> AbstractContextManager[Any]:
    """Return a context in which numpy multiplies on one thread.

    The products are narrow: on a busy machine BLAS' threads wait for each other ten times as long as they work.
    """
    limited: AbstractContextManager[Any] = _blas().limit(limits=1, user_api="blas")
    return limited


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@lru_cache(maxsize=4)
def _drawn(n: int, resamples: int, seed: int) -> npt.NDArray[np.uint16]:
    """Return the counts of all resamples: (resamples, n), 28 MB at full size."""
    random = np.random.default_rng(seed)
    drawn = np.empty((resamples, n), np.uint16)
    for start in range(0, resamples, _CHUNK):
        size = min(_CHUNK, resamples - start)
        picks = random.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        drawn[start : start + size] = np.bincount(picks.ravel(), minlength=size * n).reshape(size, n)
    return drawn


def _standard_error(mean: Array, squares: Array, n: npt.NDArray[np.int64]) -> Array:
    """Return the standard error (with n − 1) of means, from sums of squares around them."""
    error = np.sqrt(squares / (n - 1) / n)
    # Values that are all one can leave a rounding error of spread.
    return np.where(error <= 1e-12 * np.abs(mean), 0.0, error)


def _moments(total: Array, squares: Array, size: Array) -> tuple[Array, Array]:
    """Return mean and standard error of resamples from their sums, sums of squares and sizes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / size
        variance = np.maximum(squares / size - mean**2, 0.0) * size / np.maximum(size - 1, 1)
        return mean, np.sqrt(variance / size)


def _normal_quantile(share: Array) -> Array:
    from statistics import NormalDist

    return np.array([NormalDist().inv_cdf(float(value)) for value in share])


def _normal_share(z: Array) -> Array:
    return np.array([0.5 * (1 + math.erf(float(value) / math.sqrt(2))) for value in z])
