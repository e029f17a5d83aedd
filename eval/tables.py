"""The leaderboard's tables, each a list of rows of plain values; medilite.leaderboard says what each holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import numpy as np
import numpy.typing as npt

from eval.intervals import (
    RESAMPLES,
    SEED,
    Clusters,
    function_interval,
    mean_intervals,
    middle_intervals,
    shared_ranks,
)
from eval.metrics.catalogue import METRICS
from eval.metrics.overlap import BLEU_KINDS, bleu_of
from eval.scores import SplitScores
from eval.slices import slices

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


MIDDLE = ("median", "median_low", "median_high", "trimmed", "trimmed_low", "trimmed_high")
"""Fields of median and trimmed mean; null for metrics that a mean leads."""


def metric_rows(scores: SplitScores, resamples: int = RESAMPLES, seed: int = SEED) -> list[Row]:
    """Return, for each model and metric, mean, median, intervals, n of N and rank; a model without answers shows too.

    Median and trimmed mean are of the metrics that a median leads. Models share a rank if the intervals of the leading
    statistic overlap; a metric without a better direction has none.
    """
    models = scores.models
    columns = np.concatenate([scores.values[metric] for metric in scores.values], axis=1)
    # A metric without any value keeps its rows, with n 0.
    means = mean_intervals(columns, resamples, seed, clusters=scores.clusters)
    rows: list[Row] = []
    for m, metric in enumerate(scores.values):
        part = slice(m * len(models), (m + 1) * len(models))
        better, leads = METRICS[metric].better, METRICS[metric].lead
        middle = middle_fields(scores.values[metric], leads, resamples, seed, scores.clusters)
        own: list[Row] = [
            {
                "split": scores.split,
                "model": model,
                "metric": metric,
                "mean": number(means.mean[part][i]),
                "low": number(means.low[part][i]),
                "high": number(means.high[part][i]),
                "n": int(means.n[part][i]),
                "of": len(scores.questions),
                **middle[i],
            }
            for i, model in enumerate(models)
        ]
        low, high = ("median_low", "median_high") if leads == "median" else ("low", "high")
        ranks = shared_ranks([r[low] for r in own], [r[high] for r in own], better) if better else [None] * len(own)
        rows += [{**row, "rank": rank} for row, rank in zip(own, ranks, strict=True)]
    return rows


def middle_fields(
    columns: Array, leads: str, resamples: int, seed: int, clusters: Clusters | None
) -> list[dict[str, float | None]]:
    """Return the fields MIDDLE of each column; null where a mean leads."""
    if leads == "mean":
        return [dict.fromkeys(MIDDLE) for _ in range(columns.shape[1])]
    found = middle_intervals(columns, resamples, seed, clusters=clusters)
    return [{name: number(getattr(found, name)[i]) for name in MIDDLE} for i in range(columns.shape[1])]


KIND_METRICS = (
    *("flesch_kincaid_grade", "grade_8", "loops", "ended", "content_precision", "content_f1", "claims_at_odds"),
    *("claims_not_found", "unsupported_terms", "false_explanation", "inheritance_from_nowhere", "invented_prevalence"),
)
"""Metrics shown by kind of question: ease and support."""


def kind_rows(scores: SplitScores, resamples: int = RESAMPLES, seed: int = SEED) -> list[Row]:
    """Return, by kind of question, model and KIND_METRICS, what leads (median or mean) with its interval.

    Kinds of fewer than 20 questions are left out. Within a kind there are few sources, so questions are drawn.
    """
    rows: list[Row] = []
    for dimension, name, which in slices(scores.questions):
        if dimension != "qtype":
            continue
        for metric in KIND_METRICS:
            leads = METRICS[metric].lead
            columns = scores.values[metric][which]
            means = mean_intervals(columns, resamples, seed)
            middle = middle_fields(columns, leads, resamples, seed, None)
            for i, model in enumerate(scores.models):
                own = middle[i]
                value, low, high = (
                    (own["median"], own["median_low"], own["median_high"])
                    if leads == "median"
                    else (number(means.mean[i]), number(means.low[i]), number(means.high[i]))
                )
                rows.append(
                    {
                        "split": scores.split,
                        "kind": name,
                        "model": model,
                        "metric": metric,
                        "value": value,
                        "low": low,
                        "high": high,
                        "n": int(means.n[i]),
                        "of": int(which.sum()),
                    }
                )
    return rows


def bleu_rows(scores: SplitScores, resamples: int = RESAMPLES, seed: int = SEED) -> list[Row]:
    """Return, for each model, way of BLEU and part of it, value and interval over the answered questions."""
    rows: list[Row] = []
    for kind in BLEU_KINDS:
        of_kind: list[Row] = []
        for model in scores.models:
            counts = scores.counts(kind, model)
            there = ~np.isnan(counts).any(axis=1)
            counts = counts[there]
            common = {
                "split": scores.split,
                "model": model,
                "bleu": kind,
                "n": len(counts),
                "of": len(scores.questions),
            }
            value = low = high = np.full(len(BLEU_PARTS), np.nan)
            if len(counts):
                value, low, high, *_ = function_interval(
                    counts, bleu_parts_of(kind), resamples, seed, clusters=scores.clusters[there]
                )
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
