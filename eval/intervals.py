"""Uncertainty, one method: percentile intervals of a bootstrap that draws clusters of questions.

Questions of one source and one kind are answered alike (a template of one
institute), so they are not independent: what is resampled is a cluster, all
questions of one source and one kind, with everything in it. Columns (models,
metrics) share the draws, so differences stay paired. Where there are fewer than
FEWEST_CLUSTERS (a slice by source or kind, a small run) questions are drawn.

Statistics: the mean, the median, the mean trimmed by a tenth at either end, and
functions of sums such as BLEU. A draw is how often each cluster came, (resamples
× clusters) counts; sums are products with it. p-values are of eval.significance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.significance import flipped_p_values

Array = npt.NDArray[np.float64]
Clusters = npt.NDArray[np.intp]

RESAMPLES = 10_000
SEED = 42
LEVEL = 0.95
TRIM = 0.1
"""Share of the values that the trimmed mean leaves out at either end: the floor of it, as scipy's trim_mean."""

FEWEST_CLUSTERS = 10
METHOD = (
    "95 % percentile intervals of a bootstrap over clusters, a cluster being all questions of one source and one kind; "
    f"over questions where there are fewer than {FEWEST_CLUSTERS} clusters"
)

_CHUNK = 2_000
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Means:
    """By column: mean, interval, number of values, and evidence on its sign.

    `above` is the share of resampled means over 0 (ties half); `p_value` is
    two-sided against a mean of 0 (significance.flipped_p_values). NaN where a
    column has fewer than two values.
    """

    mean: Array
    low: Array
    high: Array
    n: npt.NDArray[np.int64]
    above: Array
    p_value: Array


@dataclass(frozen=True, slots=True)
class Middles:
    """Of each column: median and trimmed mean with their intervals; NaN where a column has fewer than two values."""

    median: Array
    median_low: Array
    median_high: Array
    trimmed: Array
    trimmed_low: Array
    trimmed_high: Array


def clusters_of(names: Sequence[tuple[str, ...]]) -> Clusters:
    """Return each question's cluster as a number, from its source and kind; its own where there are too few."""
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    if len(numbers) < FEWEST_CLUSTERS:
        return np.arange(len(names))
    return np.array([numbers[name] for name in names], np.intp)


def mean_intervals(
    columns: npt.ArrayLike,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    clusters: Clusters | None = None,
) -> Means:
    """Return the means of `columns` (questions × columns; NaN is missing) with their intervals and p-values."""
    values = np.asarray(columns, float)
    there = ~np.isnan(values)
    n = there.sum(0)
    nothing = np.full(values.shape[1], np.nan)
    mean, low, high, above, p_value = (nothing.copy() for _ in range(5))
    some = np.flatnonzero(n > 0)
    mean[some] = np.where(there, values, 0.0).sum(0)[some] / n[some]
    enough = np.flatnonzero(n > 1)
    if len(enough):
        # Centred on the mean, so that sums lose no digits.
        around = np.where(there, values - mean, 0.0)[:, enough]
        sums, sizes = (by_cluster(part, clusters) for part in (around, there[:, enough].astype(float)))
        drawn = np.empty((resamples, len(enough)))
        for rows, counts in _draws(len(sums), resamples, seed):
            with np.errstate(invalid="ignore", divide="ignore"):
                drawn[rows] = (counts @ sums) / (counts @ sizes) + mean[enough]
        # A zero may be a rounding error, whose sign depends on the order of the sum.
        drawn[np.abs(drawn) < _TIE] = 0.0
        low[enough], high[enough] = _ends(drawn, level)
        above[enough] = _above(drawn)
        p_value[enough] = flipped_p_values(by_cluster(np.where(there, values, 0.0)[:, enough], clusters), seed=seed)
    return Means(mean, low, high, n, above, p_value)


def middle_intervals(
    columns: npt.ArrayLike,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    clusters: Clusters | None = None,
) -> Middles:
    """Return the medians and trimmed means of `columns` (questions × columns; NaN is missing) with their intervals."""
    values = np.asarray(columns, float)
    found = np.full((6, values.shape[1]), np.nan)
    for place in range(values.shape[1]):
        if (~np.isnan(values[:, place])).sum() < 2:
            continue
        own, drawn = _drawn_middles(values[:, place], clusters, resamples, seed)
        ends = [_ends(one[:, None], level) for one in drawn]
        found[:, place] = [own[0], *(end[0] for end in ends[0]), own[1], *(end[0] for end in ends[1])]
    return Middles(*found)


def over_runs(
    columns: npt.ArrayLike,
    middle: bool,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    clusters: Clusters | None = None,
) -> tuple[Array, float, float, float]:
    """Return each run's median (or mean) of `columns` (questions × runs), their mean over runs, and its interval.

    A resample draws clusters of questions, the same for all runs, and runs. NaN
    is missing; a run with fewer than two values makes all of it NaN.
    """
    values = np.asarray(columns, float)
    runs = values.shape[1]
    if ((~np.isnan(values)).sum(0) < 2).any():
        return np.full(runs, np.nan), np.nan, np.nan, np.nan
    own, drawn = np.empty(runs), np.empty((resamples, runs))
    for run in range(runs):
        if middle:
            (own[run], _), (drawn[:, run], _) = _drawn_middles(values[:, run], clusters, resamples, seed)
        else:
            there = ~np.isnan(values[:, run])
            own[run] = values[there, run].mean()
            parts = np.stack([np.where(there, values[:, run], 0.0), there.astype(float)], 1)
            sums = by_cluster(parts, clusters)
            for rows, counts in _draws(len(sums), resamples, seed):
                with np.errstate(invalid="ignore", divide="ignore"):
                    total, size = (counts @ sums).T
                    drawn[rows, run] = total / size
    picked = np.random.default_rng([seed, runs]).integers(0, runs, (resamples, runs))
    low, high = _ends(np.take_along_axis(drawn, picked, 1).mean(1)[:, None], level)
    return own, float(own.mean()), float(low[0]), float(high[0])


def _drawn_middles(values: Array, clusters: Clusters | None, resamples: int, seed: int) -> tuple[Array, Array]:
    """Return (median, trimmed mean) of values, and the same of each resample, (2, resamples); NaN is left out."""
    whole = np.arange(len(values)) if clusters is None else clusters
    once = np.ones((1, int(whole.max(initial=-1)) + 1), np.uint16)
    there = np.flatnonzero(~np.isnan(values))
    order = there[np.argsort(values[there], kind="stable")]
    own = _middles()(values[order], whole[order], once, TRIM)
    return own[:, 0], _middles()(values[order], whole[order], _drawn(once.shape[1], resamples, seed), TRIM)


@cache
def _middles() -> Callable[[Array, Clusters, npt.NDArray[np.uint16], float], Array]:
    """Return the function (median, trimmed mean) × sets of values in ascending order, compiled once for all starts.

    A set has the value of each question as often as its cluster came: 14 million steps a column, which numpy
    could only do by writing all sets out.
    """
    from medilite.engine.native.code_cache import compiled

    @compiled()
    def middles(values: Any, clusters: Any, counts: Any, trim: float) -> Any:
        found = np.full((2, len(counts)), np.nan)
        for draw in range(len(counts)):
            count = counts[draw]
            size = 0
            for question in range(len(values)):
                size += count[clusters[question]]
            if size == 0:
                continue
            out = int(np.floor(trim * size + 1e-9))
            low_rank, high_rank = (size + 1) // 2, size // 2 + 1
            before, middle, summed = 0, 0.0, 0.0
            for question in range(len(values)):
                many = count[clusters[question]]
                if many == 0:
                    continue
                upto = before + many
                middle += values[question] * ((before < low_rank <= upto) + (before < high_rank <= upto)) / 2
                kept = min(upto, size - out) - max(before, out)
                if kept > 0:
                    summed += kept * values[question]
                before = upto
            found[0, draw] = middle
            found[1, draw] = summed / (size - 2 * out)
        return found

    return middles


def function_interval(
    sums_of: Array,
    function: Callable[[Array], Array],
    resamples: int = RESAMPLES,
    seed: int = SEED,
    level: float = LEVEL,
    clusters: Clusters | None = None,
) -> tuple[Array, Array, Array, Array]:
    """Return (value, low, high, share of resamples above 0) of a function of sums.

    `sums_of` (questions × counts) holds what is summed; `function` takes sums
    (any number of rows × counts) and returns a row of values for each.
    """
    sums = by_cluster(sums_of, clusters)
    value = function(sums_of.sum(0, keepdims=True))[0]
    drawn = np.empty((resamples, len(value)))
    for rows, counts in _draws(len(sums), resamples, seed):
        drawn[rows] = function(counts @ sums)
    low, high = _ends(drawn, level)
    return value, low, high, _above(drawn)


def shared_ranks(lows: Sequence[float | None], highs: Sequence[float | None], better: str) -> list[int | None]:
    """Return ranks from intervals: 1 + how many others lie wholly on the better side; None without an interval."""
    spans = [
        None if low is None or high is None else (low, high) if better == "higher" else (-high, -low)
        for low, high in zip(lows, highs, strict=True)
    ]
    return [
        None if own is None else 1 + sum(other is not None and other[0] > own[1] for other in spans) for own in spans
    ]


def by_cluster(rows: Array, clusters: Clusters | None) -> Array:
    """Return the sums of the rows of each cluster."""
    if clusters is None:
        return rows
    sums = np.zeros((int(clusters.max()) + 1, rows.shape[1]))
    np.add.at(sums, clusters, rows)
    return sums


def _ends(drawn: Array, level: float) -> tuple[Array, Array]:
    """Return the ends of percentile intervals: of the resamples that have a value, the sorted ones at these shares."""
    tail = round((1 - level) / 2, 9)
    if np.isnan(drawn).any():
        low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    else:
        low, high = np.quantile(drawn, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return low, high


def _above(drawn: Array) -> Array:
    share: Array = ((drawn > 0).sum(0) + (drawn == 0).sum(0) / 2) / len(drawn)
    return share


def _draws(size: int, resamples: int, seed: int) -> Any:
    """Yield (rows, how often each of `size` clusters came in these resamples), a chunk of resamples at a time."""
    drawn = _drawn(size, resamples, seed)
    with _one_thread():
        for start in range(0, resamples, _CHUNK):
            yield slice(start, min(start + _CHUNK, resamples)), drawn[start : start + _CHUNK].astype(float)


def _one_thread() -> AbstractContextManager[Any]:
    """Return a context in which numpy multiplies on one thread.

    The products are narrow: on a busy machine BLAS threads wait for each other ten times as long as they compute.
    """
    limited: AbstractContextManager[Any] = _blas().limit(limits=1, user_api="blas")
    return limited


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@lru_cache(maxsize=8)
def _drawn(size: int, resamples: int, seed: int) -> npt.NDArray[np.uint16]:
    """Return the counts of all resamples: (resamples, size)."""
    random = np.random.default_rng(seed)
    drawn = np.empty((resamples, size), np.uint16)
    for start in range(0, resamples, _CHUNK):
        many = min(_CHUNK, resamples - start)
        picks = random.integers(0, size, (many, size)) + size * np.arange(many)[:, None]
        drawn[start : start + many] = np.bincount(picks.ravel(), minlength=size * many).reshape(many, size)
    return drawn
