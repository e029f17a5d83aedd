"""The leaderboard's tables, each a list of rows of plain values; medilite.leaderboard says what each holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import numpy as np
import numpy.typing as npt

from eval.intervals import RESAMPLES, SEED, function_interval, mean_intervals, shared_ranks
from eval.metrics.catalogue import METRICS
from eval.metrics.overlap import BLEU_KINDS, bleu_of
from eval.scores import SplitScores

Row = dict[str, Any]

Array = npt.NDArray[np.float64]

DECIMALS = 6
P_DIGITS = 4

BLEU_PARTS = ("score", *(f"precision_{n}" for n in (1, 2, 3, 4)), "brevity_penalty", "length_ratio")
"""What a BLEU is made of: 0 to 100, four precisions (0 to 100), 0 to 1, and answers' tokens by references' tokens."""


def number(value: SupportsFloat) -> float | None:
    """Return a number for a table: rounded to DECIMALS, None for NaN; -0 is 0."""
    plain = float(value)
    return None if math.isnan(plain) else round(plain, DECIMALS) + 0.0


def p_number(value: SupportsFloat) -> float | None:
    """Return a p-value for a table, None for NaN: to P_DIGITS significant digits, because it may be very small."""
    plain = float(value)
    return None if math.isnan(plain) else float(f"{plain:.{P_DIGITS}g}")


def metric_rows(scores: SplitScores, resamples: int = RESAMPLES, seed: int = SEED) -> list[Row]:
    """Return, for each model and metric, mean, interval, n of N and rank; a model without answers shows as such.

    Models whose intervals overlap share a rank; what has no better way has none.
    """
    columns = np.concatenate([scores.values[metric] for metric in scores.values], axis=1)
    # A metric that nobody has a value of keeps its rows, with n 0.
    means = mean_intervals(columns, resamples, seed)
    rows: list[Row] = []
    models = scores.models
    for m, metric in enumerate(scores.values):
        part = slice(m * len(models), (m + 1) * len(models))
        lows, highs = [number(v) for v in means.low[part]], [number(v) for v in means.high[part]]
        better = METRICS[metric].better
        ranks = shared_ranks(lows, highs, better) if better else [None] * len(models)
        rows += [
            {
                "split": scores.split,
                "model": model,
                "metric": metric,
                "mean": number(means.mean[part][i]),
                "low": lows[i],
                "high": highs[i],
                "n": int(means.n[part][i]),
                "of": len(scores.questions),
                "rank": ranks[i],
            }
            for i, model in enumerate(models)
        ]
    return rows


def bleu_rows(scores: SplitScores, resamples: int = RESAMPLES, seed: int = SEED) -> list[Row]:
    """Return, for each model, way of BLEU and part of it, value and interval over the answered questions."""
    rows: list[Row] = []
    for kind in BLEU_KINDS:
        of_kind: list[Row] = []
        for model in scores.models:
            counts = scores.counts(kind, model)
            counts = counts[~np.isnan(counts).any(axis=1)]
            common = {
                "split": scores.split,
                "model": model,
                "bleu": kind,
                "n": len(counts),
                "of": len(scores.questions),
            }
            value = low = high = np.full(len(BLEU_PARTS), np.nan)
            if len(counts):
                value, low, high, *_ = function_interval(counts, bleu_parts_of(kind), resamples, seed)
            if len(counts) < 2:
                low = high = np.full(len(BLEU_PARTS), np.nan)
            of_kind += [
                {**common, "part": part, "value": number(value[i]), "low": number(low[i]), "high": number(high[i])}
                for i, part in enumerate(BLEU_PARTS)
            ]
        _rank_scores(of_kind)
        rows += of_kind
    return rows


def _rank_scores(rows: Sequence[Row]) -> None:
    for row in rows:
        row["rank"] = None
    whole = [row for row in rows if row["part"] == "score"]
    ranks = shared_ranks([row["low"] for row in whole], [row["high"] for row in whole], "higher")
    for row, rank in zip(whole, ranks, strict=True):
        row["rank"] = rank


def bleu_parts(kind: str, sums: Array) -> Array:
    """Return BLEU_PARTS (sets × parts) of summed counts (sets × 10), as sacrebleu's `compute_bleu` has them.

    The same formula for many sets at once. Smoothing matters only where an order
    has no match at all, so those few sets go through sacrebleu itself.
    """
    length, reference = sums[:, 0], sums[:, 1]
    matched, total = sums[:, 2:6], sums[:, 6:10]
    with np.errstate(invalid="ignore", divide="ignore"):
        precisions = 100 * matched / total
        penalty = np.where(length < reference, np.exp(1 - reference / np.maximum(length, 1e-300)), 1.0)
        score = penalty * np.exp(np.log(precisions).mean(axis=1))
        ratio = np.where(reference > 0, length / reference, 0.0)
    parts: Array = np.column_stack([score, precisions, penalty, ratio])
    for i in np.flatnonzero((matched == 0).any(axis=1)):
        bleu = bleu_of(kind, sums[i])
        parts[i] = [bleu.score, *bleu.precisions, bleu.bp, ratio[i]]
    return parts


def bleu_parts_of(kind: str) -> Any:
    """Return `bleu_parts` of one kind, for `function_interval`."""
    return lambda sums: bleu_parts(kind, sums)


def by_model(rows: Sequence[Row], metric: str, split: str) -> Mapping[str, Row]:
    """Return one metric's rows of a split by model."""
    return {row["model"]: row for row in rows if (row["metric"], row["split"]) == (metric, split)}
